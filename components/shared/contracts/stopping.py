"""Handle SIGTERM: raise an exception or set an event, so that a process stops in good order."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from components.shared.contracts.errors import ExitCode


class Stopped(SystemExit):
    """Raised at SIGTERM; the process ends with 143."""

    def __init__(self) -> None:
        super().__init__(ExitCode.STOPPED)

    def __str__(self) -> str:
        """Return the reason."""
        return "stopped by SIGTERM"


@contextmanager
def leaving_on_sigterm() -> Iterator[None]:
    """Raise `Stopped` at the first SIGTERM, as Ctrl-C raises, and ignore any further one."""

    def leave(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise Stopped

    with _on_sigterm(leave):
        yield


@contextmanager
def stop_event_on_sigterm() -> Iterator[threading.Event]:
    """Yield an event that is set at SIGTERM, for work that can be resumed."""
    stop = threading.Event()
    with _on_sigterm(lambda *_: stop.set()):
        yield stop


@contextmanager
def _on_sigterm(do: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle SIGTERM for a while; where Python cannot, beside the main thread, change nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, do)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
