"""Canary rollout: shadow probes without traffic, then a stepwise growing share of requests."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from components.promotion.deploy_model.guards import Evidence, breaches, errors
from components.promotion.deploy_model.interview import Breach, Interview
from components.promotion.deploy_model.latency import window
from components.promotion.deploy_model.second_look import SecondLook
from components.promotion.deploy_model.target import CandidateFailure, Side
from components.shared.contracts.policy import RolloutPolicy
from components.shared.contracts.progress import say
from components.shared.contracts.refusal import Outage
from components.shared.traffic.tally import Tally


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
        self.looks: list[Look] = []
        self.interview = interview
        self._policy, self._clock = policy, clock
        self._began = clock.now()
        self._percent = 0
        self._second_look = SecondLook(interview, policy, clock.now)
        self._base = self._champion_base = Tally()
        self._asked_base = self._failed_base = 0
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
            self._second_look.compare_anew()
            seen = self._with_traffic() if percent else self._in_the_dark()
            say(f"{percent:3d} %: {_told(seen)}")

    def _in_the_dark(self) -> Evidence:
        """Ask about every picture once, before any client's request, and more in doubt."""
        for _ in self.interview.first():
            self._look()
        seen = self._look()
        for turns in self.interview.turns():
            if not (self._waits_for_stable() or self._second_look.is_under_way):
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
            if long and not self._second_look.is_under_way:
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
        self._second_look.look(seen, self._percent)
        return seen

    def _evidence(self) -> Evidence:
        ours, candidate, champion = self.interview, self._tally("candidate"), Tally()
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
