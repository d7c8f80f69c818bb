"""Print and parse progress lines of a task; the last line is its main result.

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
    """A progress line: task and process (empty if it has no name), and its text."""

    task: str
    process: str
    text: str

    @property
    def failure(self) -> str:
        """Reason of the task's failure; empty if the line reports none."""
        return self.text.removeprefix(FAILED) if self.text.startswith(FAILED) else ""


def log_progress(line: str) -> None:
    """Print one progress line at once, without buffering.

    Where it cannot be written, as on a full disk, the work goes on without it. Characters that
    UTF-8 has not, as a file's name may hold, are escaped.
    """
    name = os.environ.get(TASK, "")
    readable = line.encode(errors="backslashreplace").decode()
    with suppress(OSError):
        print(f"{MARK}[{name}] {readable}" if name else f"{MARK}{readable}", flush=True)


def say_failed(why: str) -> None:
    """Print why a task failed, on one line."""
    log_progress(FAILED + " ".join(why.split()))


def read_line(line: str) -> Line | None:
    """Return the parsed progress line in a log line, or None if there is none.

    >>> read_line("    » [train-detector-2 4711] failed: no room")
    Line(task='train-detector-2', process='4711', text='failed: no room')
    """
    found = LINE.search(line)
    return Line(found[1] or "", found[2] or "", found[3].rstrip()) if found else None


def follow(total: int, what: str, seconds: float = 5.0) -> Callable[[int], None]:
    """Return a callback for the number of finished items, which prints progress and time left.

    Args:
        total: Number of items.
        what: Their name, such as `images`.
        seconds: Least time between two lines; what is over before says nothing.
    """
    began = spoken = time.monotonic()

    def log_done(done: int) -> None:
        nonlocal spoken
        now = time.monotonic()
        if now - spoken >= seconds and 0 < done < total:
            spoken, rate = now, done / (now - began)
            left = (total - done) / rate
            log_progress(f"{done:,} of {total:,} {what}, {rate:.0f} a second, {left:.0f} s left")

    return log_done
