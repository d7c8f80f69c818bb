"""Protocol of a rollout target: start a candidate, set its traffic share, promote, remove."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from components.shared.contracts.errors import JobError, OutageError
from components.shared.contracts.model import DetectAnswer
from components.shared.traffic.request_metrics import RequestMetrics

Fetch = Callable[[Path], None]
Track = Literal["stable", "candidate"]  # as the label `track` of a canary on Kubernetes


class PackageNotServedError(JobError):
    """A server did not serve its package: it crashed, declined it, or answers wrongly."""


class ServerUnreachableError(OutageError):
    """No server answers at the target."""


class Target(Protocol):
    """Protocol of a place where models are served, one stable and one candidate by dataset.

    Every method is idempotent: after a kill, the same call ends the same. A method returns when
    the change is in force for requests of clients.

    Attributes:
        note: A remark about the request metrics of this target, for the page.
    """

    note: str

    def fetch_package(self, dataset: str, model: str, fetch: Fetch) -> Path:
        """Return a verified local copy of a package, fetched if it is missing.

        Args:
            dataset: Name of the dataset.
            model: Digest of the package.
            fetch: Fills a folder laid out as `RegisteredLayout`.
        """

    def stable_model(self, dataset: str) -> str | None:
        """Return the digest of the configured stable package, or None."""

    def is_current(self, dataset: str, model: str) -> bool:
        """Return whether a package is the stable one, with the settings of now.

        If it is not, `serve` replaces it in place.

        Args:
            dataset: Name of the dataset.
            model: Digest of the package, 64 hexadecimal digits.
        """

    def start(self, dataset: str, model: str) -> None:
        """Start a candidate beside the stable package, without traffic.

        Args:
            dataset: Name of the dataset.
            model: Digest of the candidate.

        Raises:
            PackageNotServedError: If its server crashes, declines the package or never is ready.
            UserError: If the target cannot start it: no verdict on the candidate.
        """

    def set_share(self, dataset: str, percent: int) -> None:
        """Set the traffic share of the candidate, 0 to 100 percent.

        It is set again at every observation, which renews a lease.

        Args:
            dataset: Name of the dataset.
            percent: Traffic share, 0 to 100.
        """

    def detect(self, dataset: str, jpeg: bytes, track: Track) -> DetectAnswer | None:
        """Return what one track answers about a JPEG, not logged; None if it has no package.

        Args:
            dataset: Name of the dataset.
            jpeg: The picture.
            track: `stable` or `candidate`.

        Raises:
            UserError: If the server declines, fails or stays busy.
            ServerUnreachableError: If no server answers.
        """

    def request_metrics(self, dataset: str, track: Track) -> RequestMetrics:
        """Return the request metrics of one track, since its server started.

        Args:
            dataset: Name of the dataset.
            track: `stable` or `candidate`.

        Raises:
            UserError: If the target itself does not answer.
        """

    def disruption(self, dataset: str) -> str | None:
        """Return why the candidate's server was evicted, such as a drained node, or None."""

    def serve(self, dataset: str, model: str | None) -> None:
        """Make one package stable for all requests, and end any rollout; None serves nothing.

        Args:
            dataset: Name of the dataset.
            model: Digest of the package; None serves nothing.

        Raises:
            PackageNotServedError: If the package does not come up in service.
            UserError: If the target cannot do it: no verdict on the package.
        """

    def remove_candidate(self, dataset: str) -> None:
        """End a rollout: take the traffic from the candidate, then remove it.

        It is no error if there is no candidate, or it has crashed.
        """

    def close(self) -> None:
        """Close the connections."""
