"""Who is asked to end still has the time to put things back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def leaving_on_sigterm() -> Iterator[None]:
    """Raise SystemExit at the first SIGTERM, as Ctrl-C raises, and ignore any further one."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(signum: int, _: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(f"stopped by {signal.Signals(signum).name}")
