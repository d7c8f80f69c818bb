"""How much came and how fast, said now and then."""

import time
from collections.abc import Sequence

from components.contracts.events import FrameRefused
from components.contracts.progress import say
from components.ingest_events.expose import STORED, Pulse
from components.ingest_events.understand import Misread, Reading

PERIOD_S = 5.0


class Meter:
    """Counts messages, and says so once in a period in which any came.

    Args:
        pulse: Shown that the service moves.
    """

    def __init__(self, pulse: Pulse) -> None:
        """Begin with nothing."""
        self.pulse = pulse
        self.events = self.quarantined = self._said = 0
        self._busy_s = 0.0
        self._said_at = self._counted_at = time.monotonic()

    def count(self, readings: Sequence[Reading]) -> None:
        """Count one batch that was stored, or an empty one."""
        now = time.monotonic()
        self.events += len(readings)
        quarantined = sum(map(_is_quarantined, readings))
        self.quarantined += quarantined
        STORED.labels(outcome="quarantined").inc(quarantined)
        STORED.labels(outcome="stored").inc(len(readings) - quarantined)
        self.pulse.beat()
        self._busy_s += now - self._counted_at if readings else 0.0
        self._counted_at = now
        if self.events > self._said and now - self._said_at >= PERIOD_S:
            say(f"{self.total()}; {(self.events - self._said) / self._busy_s:,.0f} a second")
            self._said, self._said_at, self._busy_s = self.events, now, 0.0

    def total(self) -> str:
        """Return both counts as a phrase."""
        return f"{self.events:,} events, {self.quarantined:,} quarantined"


def _is_quarantined(reading: Reading) -> bool:
    return isinstance(reading, Misread) or isinstance(reading.data, FrameRefused)
