"""Canary rollout: shadow probes without traffic, then a stepwise growing share of requests."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from components.promotion.deploy_model.guards import Evidence, breaches, errors
from components.promotion.deploy_model.latency import window
from components.promotion.deploy_model.probing import GuardBreachError, Prober
from components.promotion.deploy_model.second_look import SecondLook
from components.promotion.deploy_model.target import PackageNotServedError, Side
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
        seen: Counts, latencies and boxes of both servers.
    """

    at: float
    percent: int
    seen: Evidence


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
        self._second_look = SecondLook(prober, policy, clock.now)
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
        ours = self.prober
        log_progress(f"starting candidate {ours.model[:12]} of {ours.dataset}")
        try:
            ours.target.begin(ours.dataset, ours.model)
        except PackageNotServedError as cause:
            raise ours.blamed(f"it does not become ready: {cause}") from cause
        self._champion_base = self._tally("stable")
        for percent in steps:
            self._percent = percent
            self._base = self._tally("candidate")
            self._asked_base, self._failed_base = ours.asked, ours.failed
            self._second_look.compare_anew()
            seen = self._with_traffic() if percent else self._shadow()
            log_progress(f"{percent} % of traffic: {_told(seen)}")

    def _shadow(self) -> Evidence:
        """Probe with every picture once, without requests of clients, and again while in doubt."""
        for _ in self.prober.first():
            self._look()
        seen = self._look()
        for probes in self.prober.rounds():
            if not (self._waits_for_stable() or self._second_look.is_under_way):
                break
            if self._stable_away is not None:
                self._clock.wait(self._policy.look_every_s)
            for probe in probes:
                probe()
                seen = self._look()
        return seen

    def _with_traffic(self) -> Evidence:
        ours, policy = self.prober, self._policy
        began, seen = self._clock.now(), Evidence()
        for probes in ours.rounds():
            turn = self._clock.now()
            self._share()
            self._clock.wait(policy.look_every_s)
            for probe in probes:
                probe()
                seen = self._look()
            if self._waits_for_stable():
                began += self._clock.now() - turn  # the time without a champion does not count
            answered = seen.candidate.requests + seen.asked
            waited = self._clock.now() - began
            long = waited >= policy.step_seconds and answered >= policy.min_requests
            if long and not self._second_look.is_under_way:
                break
        return seen

    def _share(self) -> None:
        try:
            self.prober.target.share(self.prober.dataset, self._percent)
        except PackageNotServedError as cause:
            raise self.prober.blamed(f"at {self._percent} % {cause}") from cause

    def _tally(self, side: Side) -> RequestMetrics:
        return self.prober.target.tally(self.prober.dataset, side)

    def _look(self) -> Evidence:
        """Record an observation, and apply the rollback rules.

        Raises:
            GuardBreachError: If a rule is broken.
            InconclusiveLatencyError: If the candidate is too slow in a second measurement, too.
        """
        seen = self._evidence()
        self.observations.append(Observation(self._clock.now() - self._began, self._percent, seen))
        if reason := next(errors(seen, self._policy), None):
            raise self.prober.blamed(f"at {self._percent} % {reason}")
        if reason := next(breaches(seen, self._policy), None):
            raise GuardBreachError(f"at {self._percent} % {reason}")
        self._second_look.look(seen, self._percent)
        return seen

    def _evidence(self) -> Evidence:
        ours, candidate, champion = self.prober, self._tally("candidate"), RequestMetrics()
        newest = window(self._policy)
        if ours.beside:
            champion = self._tally("stable")
        candidate_lately, champion_lately = self._second_look.lately(candidate, champion)
        return Evidence(
            candidate=candidate.since(self._base),
            champion=champion.since(self._champion_base),
            candidate_lately=candidate_lately,
            champion_lately=champion_lately,
            asked=ours.asked - self._asked_base,
            failed=ours.failed - self._failed_base,
            latencies_ms=ours.newest_ms("candidate", newest),
            champion_ms=ours.newest_ms("stable", newest),
            live=ours.compared,
            golden=ours.golden,
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
        if now - self._stable_away > self._policy.ready_seconds:
            raise OutageError(f"the champion does not answer: {failed}; try again when it does")
        return True


def _told(seen: Evidence) -> str:
    answered = seen.candidate.requests - seen.candidate.errors
    return (
        f"{answered:,} client requests answered, {seen.candidate.errors} failed; "
        f"{seen.asked} probes, {seen.failed} failed"
    )
