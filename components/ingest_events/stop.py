"""A signal ends the service between two batches, and soon even if nothing moves."""

import signal
from types import FrameType

GRACE_S = 3


class Stop:
    """Whether someone asked for the end, by SIGTERM or SIGINT."""

    def __init__(self) -> None:
        """Listen from now on. Only the main thread may."""
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGALRM, self._leave)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.alarm(GRACE_S)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)  # a half-written batch is rolled back and read again
