"""Canary rollout: shadow probes without traffic, then a stepwise growing share of requests."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from components.promotion.deploy_model.guards import Evidence, breaches, errors
from components.promotion.deploy_model.latency import window
from components.promotion.deploy_model.latency_recheck import LatencyRecheck
from components.promotion.deploy_model.prober import GuardBreachError, Prober
from components.promotion.deploy_model.target import PackageNotServedError, Track
from components.shared.contracts.errors import OutageError
from components.shared.contracts.policy import RolloutPolicy
from components.shared.contracts.progress import log_progress
from components.shared.traffic.request_metrics import RequestMetrics


@dataclass(frozen=True, slots=True)
class Clock:
    """A monotonic clock in seconds, and a function that waits; tests replace both."""

    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


MACHINE = Clock()


@dataclass(frozen=True, slots=True)
class Observation:
    """The evidence at one moment of a rollout.

    Attributes:
        at: Seconds since the rollout began.
        percent: Traffic share of the candidate, 0 to 100.
        evidence: Counts, latencies and boxes of both servers.
    """

    at: float
    percent: int
    evidence: Evidence


class CanaryRollout:
    """Canary rollout of one candidate beside the champion.

    Args:
        prober: Sends images to both servers of a target.
        policy: The steps of the traffic share and the limits.
        clock: Measures time and waits.
    """

    def __init__(self, prober: Prober, policy: RolloutPolicy, clock: Clock) -> None:
        self.observations: list[Observation] = []
        self.prober = prober
        self._policy, self._clock = policy, clock
        self._began = clock.now()
        self._percent = 0
        self._latency_recheck = LatencyRecheck(prober, policy, clock.now)
        self._base = self._champion_base = RequestMetrics()
        self._asked_base = self._failed_base = 0
        self._stable_away: float | None = None  # since when the champion does not answer

    def run(self, steps: Sequence[int]) -> None:
        """Start the candidate, and raise its traffic share step by step.

        Args:
            steps: Traffic shares, 0 to 100; 0 is a shadow step without requests of clients.

        Raises:
            GuardBreachError: As soon as a rollback rule is broken.
            InconclusiveLatencyError: If it was slower than the champion in two measurements.
            OutageError: If the target itself does not answer: no verdict on the candidate.
        """
        prober = self.prober
        log_progress(f"starting candidate {prober.model[:12]} of {prober.dataset}")
        try:
            prober.target.start(prober.dataset, prober.model)
        except PackageNotServedError as cause:
            raise prober.breach_unless_outage(f"it does not become ready: {cause}") from cause
        self._champion_base = self._request_metrics("stable")
        for percent in steps:
            self._percent = percent
            self._base = self._request_metrics("candidate")
            self._asked_base, self._failed_base = prober.probes, prober.failed
            self._latency_recheck.restart()
            evidence = self._with_traffic() if percent else self._shadow()
            log_progress(f"{percent} % of traffic: {_counts(evidence)}")

    def _shadow(self) -> Evidence:
        """Probe with every picture once, without requests of clients, and again while in doubt."""
        for _ in self.prober.probe_each_once():
            self._observe()
        evidence = self._observe()
        for probes in self.prober.probe_rounds():
            if not (self._waits_for_stable() or self._latency_recheck.is_under_way):
                break
            if self._stable_away is not None:
                self._clock.wait(self._policy.look_every_s)
            for probe in probes:
                probe()
                evidence = self._observe()
        return evidence

    def _with_traffic(self) -> Evidence:
        prober, policy = self.prober, self._policy
        began, evidence = self._clock.now(), Evidence()
        for probes in prober.probe_rounds():
            turn = self._clock.now()
            self._set_share()
            self._clock.wait(policy.look_every_s)
            for probe in probes:
                probe()
                evidence = self._observe()
            if self._waits_for_stable():
                began += self._clock.now() - turn  # the time without a champion does not count
            answered = evidence.candidate.requests + evidence.probes
            waited = self._clock.now() - began
            long = waited >= policy.min_step_s and answered >= policy.min_requests
            if long and not self._latency_recheck.is_under_way:
                break
        return evidence

    def _set_share(self) -> None:
        try:
            self.prober.target.set_share(self.prober.dataset, self._percent)
        except PackageNotServedError as cause:
            raise self.prober.breach_unless_outage(f"at {self._percent} %: {cause}") from cause

    def _request_metrics(self, track: Track) -> RequestMetrics:
        return self.prober.target.request_metrics(self.prober.dataset, track)

    def _observe(self) -> Evidence:
        """Record an observation, and apply the rollback rules.

        Raises:
            GuardBreachError: If a rule is broken.
            InconclusiveLatencyError: If the candidate is too slow in a second measurement, too.
        """
        evidence = self._evidence()
        self.observations.append(
            Observation(self._clock.now() - self._began, self._percent, evidence)
        )
        if reason := next(errors(evidence, self._policy), None):
            raise self.prober.breach_unless_outage(f"at {self._percent} %: {reason}")
        if reason := next(breaches(evidence, self._policy), None):
            raise GuardBreachError(f"at {self._percent} %: {reason}")
        self._latency_recheck.update(evidence, self._percent)
        return evidence

    def _evidence(self) -> Evidence:
        prober, newest = self.prober, window(self._policy)
        candidate, champion = self._request_metrics("candidate"), RequestMetrics()
        if prober.with_champion:
            champion = self._request_metrics("stable")
        candidate_recent, champion_recent = self._latency_recheck.recent(candidate, champion)
        return Evidence(
            candidate=candidate.since(self._base),
            champion=champion.since(self._champion_base),
            candidate_recent=candidate_recent,
            champion_recent=champion_recent,
            probes=prober.probes - self._asked_base,
            failed=prober.failed - self._failed_base,
            latencies_ms=prober.newest_ms("candidate", newest),
            champion_ms=prober.newest_ms("stable", newest),
            live=prober.compared,
            golden=prober.golden,
        )

    def _waits_for_stable(self) -> bool:
        """Return whether the champion does not answer: the rollout waits at its step then.

        At 100 % the candidate has every request, and no champion is needed.

        Raises:
            OutageError: If the champion is away for longer than a server may take to come up.
        """
        failed, now = self.prober.stable_failed, self._clock.now()
        if failed is None or self._percent == 100:
            self._stable_away = None
            return False
        if self._stable_away is None:
            self._stable_away = now
            log_progress(
                f"at {self._percent} % the rollout waits: the champion does not answer: {failed}"
            )
        if now - self._stable_away > self._policy.max_ready_s:
            raise OutageError(f"the champion does not answer: {failed}; try again when it does")
        return True


def _counts(evidence: Evidence) -> str:
    answered = evidence.candidate.requests - evidence.candidate.errors
    return (
        f"{answered:,} client requests answered, {evidence.candidate.errors} failed; "
        f"{evidence.probes} probes, {evidence.failed} failed"
    )
