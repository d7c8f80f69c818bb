"""Progress lines of a task for the person who watches; the last one is its main number.

Where several tasks print into one log, each line has the name and the process of its task, as
`» [name 4711] line`: the tasks of a loop have one name.
"""

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

MARK = "» "
TASK = "TASK_NAME"  # environment variable; empty where a log has one task
FAILED = "failed: "
LINE = re.compile(rf"{MARK}(?:\[([a-z0-9-]+)(?: (\d+))?\] )?(.*)")


class Line(NamedTuple):
    """A progress line: its task and process (empty if it has no name), and what it says."""

    task: str
    process: str
    text: str

    @property
    def failure(self) -> str:
        """Why the task failed; empty if the line does not say so."""
        return self.text.removeprefix(FAILED) if self.text.startswith(FAILED) else ""


def say(line: str) -> None:
    """Print one line for the person who watches, at once, past every buffer.

    Where it cannot be written, as on a full disk, the work goes on without it. Characters that
    UTF-8 has not, as a file's name may hold, are escaped.
    """
    name = os.environ.get(TASK, "")
    readable = line.encode(errors="backslashreplace").decode()
    with suppress(OSError):
        print(f"{MARK}[{name}] {readable}" if name else f"{MARK}{readable}", flush=True)


def say_failed(why: str) -> None:
    """Print why a task ends, in one line."""
    say(FAILED + " ".join(why.split()))


def read_line(line: str) -> Line | None:
    """Return what `say` printed, or None if a line of a log is none of its own.

    >>> read_line("    » [train-detector-2 4711] failed: no room")
    Line(task='train-detector-2', process='4711', text='failed: no room')
    """
    found = LINE.search(line)
    return Line(found[1] or "", found[2] or "", found[3].rstrip()) if found else None


def follow(total: int, what: str, seconds: float = 5.0) -> Callable[[int], None]:
    """Return what is to be told how many are done, and says so now and then, with time left.

    Args:
        total: How many there are.
        what: Their name, such as `images`.
        seconds: Least time between two lines; what is over before says nothing.
    """
    began = spoken = time.monotonic()

    def told(done: int) -> None:
        nonlocal spoken
        now = time.monotonic()
        if now - spoken >= seconds and 0 < done < total:
            spoken, rate = now, done / (now - began)
            left = (total - done) / rate
            say(f"{done:,} of {total:,} {what}, {rate:.0f} a second, {left:.0f} s left")

    return told
