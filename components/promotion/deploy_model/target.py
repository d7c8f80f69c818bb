"""Protocol of a rollout target: start a candidate, set its traffic share, promote, abort."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from components.shared.contracts.model import DetectAnswer
from components.shared.contracts.refusal import Outage, Refusal
from components.shared.traffic.tally import Tally

Fetch = Callable[[Path], None]
Side = Literal["stable", "candidate"]


class CandidateFailure(Refusal):
    """A server did not serve its package: it ended, declined it, or answers otherwise."""


class Unreachable(Outage):
    """Nobody answers where the models should be served."""


class Target(Protocol):
    """A place that answers for datasets: one package stably, and one more on trial.

    Every verb may be repeated: after a kill, the same call ends the same. A verb returns
    when what it says is true of the requests that come, not when it was asked for.

    Attributes:
        note: What people should know who read what clients met here, in sentences.
    """

    note: str

    def hold(self, dataset: str, model: str, fetch: Fetch) -> Path:
        """Return a verified local copy of a package, fetched if it is not there yet."""

    def serving(self, dataset: str) -> str | None:
        """Return the digest of the package that is configured to answer stably, or None."""

    def current(self, dataset: str, model: str) -> bool:
        """Say whether a package is configured to answer stably, in the way that is wanted now.

        If it is not, `serve` exchanges it in place.
        """

    def begin(self, dataset: str, model: str) -> None:
        """Bring a candidate up beside what serves, at no share of the requests.

        Raises:
            CandidateFailure: If its own server ends, declines the package or never gets ready.
            Refusal: If the place cannot bring it up: no verdict on the candidate.
        """

    def share(self, dataset: str, percent: int) -> None:
        """Let the candidate answer a share of the requests, 0 to 100 percent.

        It is asked again at every look: where a share is only lent, that renews it.
        """

    def ask(self, dataset: str, jpeg: bytes, side: Side) -> DetectAnswer | None:
        """Return what one side answers about a JPEG, not logged; None if it has no package.

        Raises:
            Refusal: If it declines, fails or stays busy.
            Unreachable: If nobody answers.
        """

    def tally(self, dataset: str, side: Side) -> Tally:
        """Return what clients met at one side so far.

        Raises:
            Refusal: If the place itself does not answer, whichever side is meant.
        """

    def disruption(self, dataset: str) -> str | None:
        """Return what took the candidate's server away from outside, such as a drain, or None."""

    def serve(self, dataset: str, model: str | None) -> None:
        """Let one package answer every request, and end any trial; None: nothing answers.

        Raises:
            CandidateFailure: If the package does not come up in service.
            Refusal: If the place cannot do it: no verdict on the package.
        """

    def abandon(self, dataset: str) -> None:
        """End a trial: the candidate gets no request any more, then it goes.

        A candidate that is dead, or that there never was, is no reason to fail.
        """

    def close(self) -> None:
        """Let go of connections."""
