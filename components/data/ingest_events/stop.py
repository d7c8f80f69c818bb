"""Stop the service gracefully at SIGTERM or SIGINT: between two batches, within seconds."""

import os
import signal
import threading
import time
from types import FrameType

GRACE_S = 3


class Stop:
    """Whether SIGTERM or SIGINT was received. Only the main thread may create one.

    Args:
        code: The exit code, where the work does not end by itself within `GRACE_S`.
    """

    def __init__(self, code: int = 0) -> None:
        self.requested, self._code = False, code
        self._requested = threading.Event()
        # A thread, for a signal handler does not run while the database's driver waits.
        threading.Thread(target=self._leave, daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request)

    def _request(self, number: int, frame: FrameType | None) -> None:
        if not self.requested:
            self.requested = True
            self._requested.set()

    def _leave(self) -> None:
        self._requested.wait()
        time.sleep(GRACE_S)
        os._exit(self._code)  # a half-written batch is rolled back and read again
