"""The error of a package that must not be served, and the sentences that describe its cause."""

import signal

from components.shared.contracts.refusal import Refusal

MOST = 500  # characters of what a server says
MEMORY = ("allocate memory", "bad_alloc", "bad allocation", "MemoryError", "unable to allocate")


class Faulty(Refusal):
    """A package that must not be served."""


def told(said: str, memory_mb: int) -> str:
    """Return what a server said, on one line, and whether it was for a lack of memory.

    >>> told("RuntimeException: Failed to allocate memory", 100)
    'out of memory, of which there were 100 MB: RuntimeException: Failed to allocate memory'
    """
    line = " ".join(said.split())
    if len(line) > MOST:
        line = f"{line[:MOST]} ..."
    lacks = any(words.lower() in said.lower() for words in MEMORY)
    return f"out of memory, of which there were {memory_mb} MB: {line}" if lacks else line


def ending(code: int, cpu_seconds: int) -> str:
    """Say how a process ended by itself.

    >>> ending(-11, 600), ending(3, 600)
    ('crashes with SIGSEGV', 'ends with exit code 3')

    Args:
        code: Its exit code; below 0, the signal that ended it.
        cpu_seconds: All that it had.
    """
    if code >= 0:
        return f"ends with exit code {code}"
    if -code == signal.SIGXCPU:
        return f"uses up its {cpu_seconds} s of CPU"
    return f"crashes with {signal.Signals(-code).name}"
