"""The error of a package that must not be served, and the sentences that describe its cause."""

import signal

from components.shared.contracts.errors import UserError

MAX_CHARACTERS = 500  # of the message of a server
MEMORY = ("allocate memory", "bad_alloc", "bad allocation", "MemoryError", "unable to allocate")


class PackageRejectedError(UserError):
    """The package must not be served; the message says why."""


def one_line(message: str, memory_mb: int) -> str:
    """Return the message of a server on one line, marked if it is for lack of memory.

    Args:
        message: Last message of the server, of any number of lines.
        memory_mb: Limit on its memory, in MB.

    >>> one_line("RuntimeException: Failed to allocate memory", 100)
    'out of memory (limit 100 MB): RuntimeException: Failed to allocate memory'
    """
    line = " ".join(message.split())
    if len(line) > MAX_CHARACTERS:
        line = f"{line[:MAX_CHARACTERS]} ..."
    lacks = any(words.lower() in message.lower() for words in MEMORY)
    return f"out of memory (limit {memory_mb} MB): {line}" if lacks else line


def ending(code: int, cpu_seconds: int) -> str:
    """Return in words how a process ended.

    >>> ending(-11, 600), ending(3, 600)
    ('crashes with SIGSEGV', 'ends with exit code 3')

    Args:
        code: Its exit code; below 0, the number of the signal that ended it.
        cpu_seconds: Its limit of CPU time, in seconds.
    """
    if code >= 0:
        return f"ends with exit code {code}"
    if -code == signal.SIGXCPU:
        return f"uses up its {cpu_seconds} s of CPU"
    return f"crashes with {signal.Signals(-code).name}"
