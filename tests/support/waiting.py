"""Wait until a condition holds."""

import time
from collections.abc import Callable

PATIENCE_S = 180.0


def await_true(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until a condition holds, or time is up; say whether it does."""
    deadline = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return held
