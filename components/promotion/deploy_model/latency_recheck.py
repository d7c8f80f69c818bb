"""Measure the latency of a slow candidate a second time, with new answers of both servers.

A burst of load may be over by then. The new answers of both servers are of the same seconds.
"""

from collections.abc import Callable

from components.promotion.deploy_model.guards import Evidence
from components.promotion.deploy_model.latency import enough, slow
from components.promotion.deploy_model.prober import Prober
from components.shared.contracts.errors import OutageError
from components.shared.contracts.policy import RolloutPolicy
from components.shared.contracts.progress import log_progress
from components.shared.traffic.request_metrics import RequestMetrics


class InconclusiveLatencyError(OutageError):
    """A candidate was too slow twice, which load may have caused: no verdict on it."""


class LatencyRecheck:
    """Second latency measurement of a candidate that was slow in the first.

    Args:
        prober: Gives the target, and the latencies of the probes.
        policy: The limits.
        now: Returns a monotonic time, in seconds.
    """

    def __init__(self, prober: Prober, policy: RolloutPolicy, now: Callable[[], float]) -> None:
        self._prober, self._policy, self._now = prober, policy, now
        self._base = self._champion_base = RequestMetrics()
        self._suspected: float | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the candidate was slow, and the second measurement has not ended."""
        return self._suspected is not None

    def restart(self) -> None:
        """Restart the comparison of the request metrics of clients."""
        prober = self._prober
        self._base = prober.target.request_metrics(prober.dataset, "candidate")
        champion = (
            prober.target.request_metrics(prober.dataset, "stable")
            if prober.with_champion
            else RequestMetrics()
        )
        self._champion_base = champion

    def recent(
        self, candidate: RequestMetrics, champion: RequestMetrics
    ) -> tuple[RequestMetrics, RequestMetrics]:
        """Return the request metrics of candidate and champion since the comparison began.

        Args:
            candidate: Metrics of the candidate since its server started.
            champion: Metrics of the champion since its server started.
        """
        return candidate.since(self._base), champion.since(self._champion_base)

    def update(self, evidence: Evidence, percent: int) -> None:
        """Start, continue or end the second measurement.

        Args:
            evidence: Evidence about both tracks.
            percent: Traffic share of the candidate, 0 to 100.

        Raises:
            InconclusiveLatencyError: If the candidate is too slow again.
        """
        reason, now = slow(evidence, self._policy), self._now()
        if self._suspected is None:
            if reason:
                log_progress(f"at {percent} %: {reason}: measuring both servers again")
                self._suspected = now
        elif now - self._suspected < self._policy.min_pause_s:
            self.restart()
            self._prober.clear_latencies()
        elif enough(evidence, self._policy, with_champion=self._needs_champion(percent)):
            if reason:
                raise InconclusiveLatencyError(f"at {percent} %: {reason}, in two measurements")
            waited = now - self._suspected >= self._policy.min_step_s
            if waited or not percent or self._has_enough_clients(evidence, percent):
                self._suspected = None

    def _needs_champion(self, percent: int) -> bool:
        """Return whether the second measurement waits for answers of the champion, too."""
        gone = percent == 100 and self._prober.stable_failed is not None
        return self._prober.with_champion and not gone

    def _has_enough_clients(self, evidence: Evidence, percent: int) -> bool:
        servers = [
            evidence.candidate_recent,
            *([evidence.champion_recent] if percent < 100 else []),
        ]
        return min(server.requests for server in servers) >= self._policy.min_requests
