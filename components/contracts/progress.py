"""What a job says aloud while it works; the last line of each is its main number."""

import time
from collections.abc import Callable
from contextlib import suppress

MARK = "» "


def say(line: str) -> None:
    """Print one line for the person who watches, at once, past every buffer.

    Where it cannot be written, as on a full disk, the work goes on without it. Characters that
    UTF-8 has not, as a file's name may hold, are escaped.
    """
    readable = line.encode(errors="backslashreplace").decode()
    with suppress(OSError):
        print(f"{MARK}{readable}", flush=True)


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
