"""Measure the latency of a slow candidate a second time, with new answers of both servers.

A burst of load may be over by then. The new answers of both servers are of the same seconds.
"""

from collections.abc import Callable

from components.promotion.deploy_model.guards import Evidence
from components.promotion.deploy_model.interview import Interview
from components.promotion.deploy_model.latency import enough, slow
from components.shared.contracts.policy import RolloutPolicy
from components.shared.contracts.progress import say
from components.shared.contracts.refusal import Refusal
from components.shared.traffic.tally import Tally

PAUSE_S = 5.0  # before a second look at a slow candidate


class HeldBack(Refusal):
    """A candidate was too slow twice, which load may have caused: that is no verdict."""


class SecondLook:
    """Compares latencies since some moment, and says when they were too slow twice.

    Args:
        interview: Where both sides are, and how fast they answered us.
        policy: The limits.
        now: Counts the seconds.
    """

    def __init__(
        self, interview: Interview, policy: RolloutPolicy, now: Callable[[], float]
    ) -> None:
        self._interview, self._policy, self._now = interview, policy, now
        self._base = self._champion_base = Tally()
        self._suspected: float | None = None

    @property
    def is_under_way(self) -> bool:
        """Say whether a first look found the candidate slow, and no second one has ended."""
        return self._suspected is not None

    def compare_anew(self) -> None:
        """Compare what clients meet from now on."""
        ours = self._interview
        self._base = ours.target.tally(ours.dataset, "candidate")
        champion = ours.target.tally(ours.dataset, "stable") if ours.beside else Tally()
        self._champion_base = champion

    def lately(self, candidate: Tally, champion: Tally) -> tuple[Tally, Tally]:
        """Return what clients met at each side since latencies are compared."""
        return candidate.since(self._base), champion.since(self._champion_base)

    def look(self, seen: Evidence, percent: int) -> None:
        """Begin, go on with or end a second look.

        Args:
            seen: What is known of both sides.
            percent: The candidate's share of the requests.

        Raises:
            HeldBack: If the candidate is too slow again.
        """
        reason, now = slow(seen, self._policy), self._now()
        if self._suspected is None:
            if reason:
                say(f"at {percent} % {reason}: looking again, at both sides")
                self._suspected = now
        elif now - self._suspected < PAUSE_S:
            self.compare_anew()
            self._interview.forget_latencies()
        elif enough(seen, self._policy, beside=self._needs_champion(percent)):
            if reason:
                raise HeldBack(f"at {percent} % {reason}, and so at a second look")
            waited = now - self._suspected >= self._policy.step_seconds
            if waited or not percent or self._has_enough_clients(seen, percent):
                self._suspected = None

    def _needs_champion(self, percent: int) -> bool:
        """Say whether a second look waits for answers of the champion, too."""
        gone = percent == 100 and self._interview.stable_failed is not None
        return self._interview.beside and not gone

    def _has_enough_clients(self, seen: Evidence, percent: int) -> bool:
        sides = [seen.candidate_lately, *([seen.champion_lately] if percent < 100 else [])]
        return min(side.requests for side in sides) >= self._policy.min_requests
