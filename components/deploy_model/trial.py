"""A candidate on trial: asked in the dark, then given more and more of the requests."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from components.contracts.policy import RolloutPolicy
from components.contracts.progress import say
from components.contracts.refusal import Outage, Refusal
from components.deploy_model.guards import Evidence, breaches, errors
from components.deploy_model.interview import Breach, Interview
from components.deploy_model.latency import enough, slow, window
from components.deploy_model.target import CandidateFailure, Side
from components.traffic.tally import Tally

PAUSE_S = 5.0  # before a second look at a slow candidate: a burst of load may be over by then


class HeldBack(Refusal):
    """A candidate was too slow twice, which load may have caused: that is no verdict."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is, in seconds since whenever, and how to let it pass."""

    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


MACHINE = Clock()


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment of a trial.

    Attributes:
        at: Seconds since the trial began.
        percent: Of the requests, the candidate's share.
        seen: The evidence.
    """

    at: float
    percent: int
    seen: Evidence


class Trial:
    """One candidate beside what serves.

    Args:
        interview: What it is asked, and where it is.
        policy: The limits.
        clock: Counts the seconds.
    """

    def __init__(self, interview: Interview, policy: RolloutPolicy, clock: Clock) -> None:
        """Ask nothing yet."""
        self.looks: list[Look] = []
        self.interview = interview
        self._policy, self._clock = policy, clock
        self._began = clock.now()
        self._percent = 0
        self._base = self._champion_base = Tally()
        self._lately = self._champion_lately = Tally()  # where the comparison of latencies began
        self._asked_base = self._failed_base = 0
        self._suspected: float | None = None  # since when it is looked at for the second time
        self._stable_away: float | None = None  # since when the champion does not answer

    def run(self, steps: Sequence[int]) -> None:
        """Go through the steps to the last one.

        Raises:
            Breach: As soon as a guard says so.
            HeldBack: If it was too slow at two looks, beside the champion in the same seconds.
            Outage: If the place itself does not answer: no verdict on the candidate.
        """
        ours = self.interview
        say(f"{ours.model[:12]} comes up beside what serves {ours.dataset}")
        try:
            ours.target.begin(ours.dataset, ours.model)
        except CandidateFailure as cause:
            raise ours.blamed(f"it does not become ready: {cause}") from cause
        self._champion_base = self._tally("stable")
        for percent in steps:
            self._percent = percent
            self._base = self._tally("candidate")
            self._asked_base, self._failed_base = ours.asked, ours.failed
            self._compare_latencies_anew(forget=False)
            seen = self._with_traffic() if percent else self._in_the_dark()
            say(f"{percent:3d} %: {_told(seen)}")

    def _in_the_dark(self) -> Evidence:
        """Ask about every picture once, before any client's request, and more in doubt."""
        for _ in self.interview.first():
            self._look()
        seen = self._look()
        for turns in self.interview.turns():
            if not (self._waits_for_stable() or self._suspected is not None):
                break
            if self._stable_away is not None:
                self._clock.wait(self._policy.look_every_s)
            for ask in turns:
                ask()
                seen = self._look()
        return seen

    def _with_traffic(self) -> Evidence:
        ours, policy = self.interview, self._policy
        began, seen = self._clock.now(), Evidence()
        for turns in ours.turns():
            turn = self._clock.now()
            self._share()
            self._clock.wait(policy.look_every_s)
            for ask in turns:
                ask()
                seen = self._look()
            if self._waits_for_stable():
                began += self._clock.now() - turn  # the time without a champion does not count
            answered = seen.candidate.requests + seen.asked
            waited = self._clock.now() - began
            long = waited >= policy.step_seconds and answered >= policy.min_requests
            if long and self._suspected is None:
                break
        return seen

    def _share(self) -> None:
        try:
            self.interview.target.share(self.interview.dataset, self._percent)
        except CandidateFailure as cause:
            raise self.interview.blamed(f"at {self._percent} % {cause}") from cause

    def _tally(self, side: Side) -> Tally:
        return self.interview.target.tally(self.interview.dataset, side)

    def _look(self) -> Evidence:
        """Note what is known now.

        Raises:
            Breach: If that sends the candidate back.
            HeldBack: If it is too slow, again.
        """
        seen = self._evidence()
        self.looks.append(Look(self._clock.now() - self._began, self._percent, seen))
        if reason := next(errors(seen, self._policy), None):
            raise self.interview.blamed(f"at {self._percent} % {reason}")
        if reason := next(breaches(seen, self._policy), None):
            raise Breach(f"at {self._percent} % {reason}")
        self._look_at_latency(seen)
        return seen

    def _evidence(self) -> Evidence:
        ours, candidate, champion = self.interview, self._tally("candidate"), Tally()
        newest = window(self._policy)
        if ours.beside:
            champion = self._tally("stable")
        return Evidence(
            candidate=candidate.since(self._base),
            champion=champion.since(self._champion_base),
            candidate_lately=candidate.since(self._lately),
            champion_lately=champion.since(self._champion_lately),
            asked=ours.asked - self._asked_base,
            failed=ours.failed - self._failed_base,
            latencies_ms=ours.newest_ms("candidate", newest),
            champion_ms=ours.newest_ms("stable", newest),
            live=ours.compared,
            golden=ours.golden,
        )

    def _look_at_latency(self, seen: Evidence) -> None:
        """Look a second time at a candidate that is slow, with new answers of both sides."""
        reason, now = slow(seen, self._policy), self._clock.now()
        if self._suspected is None:
            if reason:
                say(f"at {self._percent} % {reason}: looking again, at both sides")
                self._suspected = now
        elif now - self._suspected < PAUSE_S:
            self._compare_latencies_anew(forget=True)
        elif enough(seen, self._policy, beside=self._champion_needed()):
            if reason:
                raise HeldBack(f"at {self._percent} % {reason}, and so at a second look")
            waited = now - self._suspected >= self._policy.step_seconds
            if waited or not self._percent or self._clients_enough(seen):
                self._suspected = None

    def _champion_needed(self) -> bool:
        """Say whether a second look waits for answers of the champion, too."""
        gone = self._percent == 100 and self.interview.stable_failed is not None
        return self.interview.beside and not gone

    def _clients_enough(self, seen: Evidence) -> bool:
        sides = [seen.candidate_lately, *([seen.champion_lately] if self._percent < 100 else [])]
        return min(side.requests for side in sides) >= self._policy.min_requests

    def _compare_latencies_anew(self, *, forget: bool) -> None:
        self._lately = self._tally("candidate")
        self._champion_lately = self._tally("stable") if self.interview.beside else Tally()
        if forget:
            self.interview.forget_latencies()

    def _waits_for_stable(self) -> bool:
        """Say whether the champion does not answer: then a ramp waits where it is.

        A candidate that has every request does not need it any more.

        Raises:
            Outage: If that lasts as long as a server may take to come up.
        """
        failed, now = self.interview.stable_failed, self._clock.now()
        if failed is None or self._percent == 100:
            self._stable_away = None
            return False
        if self._stable_away is None:
            self._stable_away = now
            say(f"at {self._percent} % the champion does not answer, the rollout waits: {failed}")
        if now - self._stable_away > self._policy.ready_seconds:
            raise Outage(f"the champion does not answer, {failed}: try again when it does")
        return True


def _told(seen: Evidence) -> str:
    answered = seen.candidate.requests - seen.candidate.errors
    return (
        f"{answered:,} answers to clients, {seen.candidate.errors} failed; "
        f"{seen.asked} to us, {seen.failed} failed"
    )
