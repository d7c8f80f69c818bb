"""A candidate on trial: asked in the dark, then given more and more of the requests."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from components.contracts.policy import RolloutPolicy
from components.contracts.progress import say
from components.contracts.refusal import Refusal
from components.deploy_model.guards import Evidence, breaches
from components.deploy_model.interview import Breach, Interview
from components.deploy_model.target import Side
from components.traffic.tally import Tally


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
        self._asked_base = self._failed_base = 0

    def run(self, steps: Sequence[int]) -> None:
        """Go through the steps to the last one.

        Raises:
            Breach: As soon as a guard says so.
            Refusal: If the place itself does not answer: no verdict on the candidate.
        """
        ours = self.interview
        say(f"{ours.model[:12]} comes up beside what serves {ours.dataset}")
        try:
            ours.target.begin(ours.dataset, ours.model)
        except Refusal as cause:
            raise ours.blamed(f"it does not become ready: {cause}") from cause
        self._champion_base = self._tally("stable")
        for percent in steps:
            self._percent = percent
            self._base = self._tally("candidate")
            self._asked_base, self._failed_base = ours.asked, ours.failed
            seen = self._with_traffic() if percent else self._in_the_dark()
            say(f"{percent:3d} %: {_told(seen)}")

    def _in_the_dark(self) -> Evidence:
        """Ask about every picture once, before any client's request."""
        for _ in self.interview.first():
            self._look()
        return self._look()

    def _with_traffic(self) -> Evidence:
        ours, policy = self.interview, self._policy
        began, seen = self._clock.now(), Evidence()
        for turns in ours.turns():
            ours.target.share(ours.dataset, self._percent)
            self._clock.wait(policy.look_every_s)
            for ask in turns:
                ask()
                seen = self._look()
            answered = seen.candidate.requests + seen.asked
            waited = self._clock.now() - began
            if waited >= policy.step_seconds and answered >= policy.min_requests:
                break
        return seen

    def _tally(self, side: Side) -> Tally:
        return self.interview.target.tally(self.interview.dataset, side)

    def _look(self) -> Evidence:
        """Note what is known now.

        Raises:
            Breach: If that sends the candidate back.
        """
        ours, champion = self.interview, Tally()
        if ours.beside:
            champion = self._tally("stable").since(self._champion_base)
        seen = Evidence(
            candidate=self._tally("candidate").since(self._base),
            champion=champion,
            asked=ours.asked - self._asked_base,
            failed=ours.failed - self._failed_base,
            latencies_ms=ours.latencies_ms,
            champion_ms=ours.champion_ms,
            live=ours.compared,
            golden=ours.golden,
        )
        self.looks.append(Look(self._clock.now() - self._began, self._percent, seen))
        if reason := next(breaches(seen, self._policy), None):
            raise Breach(f"at {self._percent} % {reason}")
        return seen


def _told(seen: Evidence) -> str:
    answered = seen.candidate.requests - seen.candidate.errors
    return (
        f"{answered:,} answers to clients, {seen.candidate.errors} failed; "
        f"{seen.asked} to us, {seen.failed} failed"
    )
