"""Count stored messages, and report rate, lag and outages in the log and to Prometheus."""

import time
from collections.abc import Mapping, Sequence

from components.data.ingest_events.expose import LAG, LOST, PROGRESS, RECREATED, STORED, Pulse
from components.data.ingest_events.parse import ParseResult, Rejected
from components.data.ingest_events.trouble import is_final, is_refused, sentence
from components.shared.contracts.events import TOPICS, FrameRefused
from components.shared.contracts.progress import log_progress

PERIOD_S = 5.0


class Meter:
    """Counts messages, and logs the counts once in a period in which any arrived.

    Args:
        pulse: Shown that the service moves.
    """

    def __init__(self, pulse: Pulse) -> None:
        self.pulse = pulse
        self.events = self.quarantined = self._logged = 0
        self.failures = 0  # outages since a batch was stored or nothing was waiting
        self._busy_s = 0.0
        self._counted_any = False
        self._logged_at = self._counted_at = self._moved_at = time.monotonic()
        self._lag_is_unknown()
        PROGRESS.set_to_current_time()  # a start is granted the time that a standstill is
        for topic in TOPICS:  # counters that are absent until they count cannot be watched
            LOST.labels(topic=topic)
            RECREATED.labels(topic=topic)

    def count(self, readings: Sequence[ParseResult]) -> None:
        """Count one batch that was stored, or an empty one."""
        now = time.monotonic()
        self.events += len(readings)
        self._counted_any = bool(readings)
        quarantined = sum(map(_is_quarantined, readings))
        self.quarantined += quarantined
        STORED.labels(outcome="quarantined").inc(quarantined)
        STORED.labels(outcome="stored").inc(len(readings) - quarantined)
        self.pulse.beat()
        self._busy_s += now - self._counted_at if readings else 0.0
        self._counted_at = now
        if self.events > self._logged and now - self._logged_at >= PERIOD_S:
            log_progress(
                f"{self.total()}; {(self.events - self._logged) / self._busy_s:,.0f} a second"
            )
            self._logged, self._logged_at, self._busy_s = self.events, now, 0.0

    def show(self, lag: Mapping[str, float], faults: Sequence[str]) -> None:
        """Update progress and the topics that cannot be read.

        Args:
            lag: Messages that wait, by topic; NaN if that is unknown.
            faults: A sentence for each topic that cannot be read.
        """
        for topic, waiting in lag.items():
            LAG.labels(topic=topic).set(waiting)
        self.pulse.report(faults)
        if self._counted_any or not any(map(_waits, lag.values())):
            self.pulse.resume()
        if self._counted_any or sum(lag.values()) == 0:
            self.failures = 0
            self._moved_at = time.monotonic()
            PROGRESS.set_to_current_time()

    def interrupted(self, trouble: BaseException) -> None:
        """Mark that nothing is read during an outage, and that the lag is unknown."""
        self.failures += 1
        self._lag_is_unknown()
        self.pulse.beat()
        self.pulse.wait_for(sentence(trouble), is_final(trouble), is_refused(trouble))

    @property
    def idle_s(self) -> float:
        """Seconds since a batch was stored or nothing was waiting."""
        return time.monotonic() - self._moved_at

    def _lag_is_unknown(self) -> None:
        for topic in TOPICS:
            LAG.labels(topic=topic).set(float("nan"))

    def total(self) -> str:
        """Return both counts as a phrase."""
        return f"{self.events:,} events, {self.quarantined:,} quarantined"


def _waits(lag: float) -> bool:
    return lag > 0  # NaN, of a topic that cannot be read, is not


def _is_quarantined(reading: ParseResult) -> bool:
    return isinstance(reading, Rejected) or isinstance(reading.data, FrameRefused)
