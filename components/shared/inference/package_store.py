"""Local package store: packages on disk, current and candidate pointers, traffic lease.

`<root>/<dataset>/current` holds a digest, `<root>/<dataset>/<digest>/` is the package, and
`<root>/<dataset>/<digest>.sig` its signature, if it has one. In a rollout `candidate` holds
another digest, and `share` the percent of the requests that it answers, and until when. Each
pointer is one small file that is replaced atomically; packages are immutable.
"""

import os
import re
import stat
from pathlib import Path
from typing import Literal, get_args

from components.shared.contracts.errors import UserError
from components.shared.contracts.record import Record

Slot = Literal["current", "candidate"]

DATASET = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MAX_LINE_BYTES = 4096  # of a slot or a share
DIGEST = re.compile(r"[0-9a-f]{64}")


class TrafficLease(Record):
    """The share of the requests that a candidate gets, until it expires.

    Attributes:
        percent: Share of the requests, 0 to 100.
        model: Digest of the candidate.
        until: When the lease expires, in seconds since 1970.
    """

    percent: int
    model: str
    until: float


class PackageStore:
    """The packages of every dataset on this machine.

    Args:
        root: Folder that servers, proxy and deployer share.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def datasets(self, slot: Slot = "current") -> list[str]:
        """Return the datasets that have a package in a slot, by name."""
        return sorted(file.parent.name for file in self.root.glob(f"*/{slot}"))

    def folder(self, dataset: str) -> Path:
        """Return the folder of the packages of a dataset.

        Raises:
            UserError: If the name is not valid, such as one with `..` in it.
        """
        if not DATASET.fullmatch(dataset):
            raise UserError(f"{dataset!r} is no dataset, expected small letters, digits and dashes")
        return self.root / dataset

    def package(self, dataset: str, digest: str) -> Path:
        """Return the folder of a package, whether it exists or not.

        Args:
            dataset: Name of the dataset.
            digest: Digest of the package, 64 hexadecimal digits.
        """
        if not DIGEST.fullmatch(digest):
            raise UserError(f"{digest[:80]!r} is no digest, expected 64 hexadecimal digits")
        return self.folder(dataset) / digest

    def signature(self, dataset: str, digest: str) -> Path:
        """Return the file of the signature of a package, whether it exists or not.

        Args:
            dataset: Name of the dataset.
            digest: Digest of the package, 64 hexadecimal digits.
        """
        package = self.package(dataset, digest)
        return package.with_name(f"{package.name}.sig")

    def current(self, dataset: str, slot: Slot = "current") -> str | None:
        """Return the digest that a slot of a dataset points at, or None.

        Args:
            dataset: Name of the dataset.
            slot: `current` is in service, `candidate` on trial.

        Raises:
            UserError: If the file of the slot does not hold a digest.
        """
        try:
            digest = _line(self.folder(dataset) / slot)
        except FileNotFoundError:
            return None
        return self.package(dataset, digest).name

    def knows(self, dataset: str) -> bool:
        """Return whether a dataset has a package in any slot."""
        return any((self.folder(dataset) / slot).exists() for slot in get_args(Slot))

    def set_current(self, dataset: str, digest: str | None, slot: Slot = "current") -> None:
        """Point a slot of a dataset at a package; servers follow when they load next.

        Args:
            dataset: Name of the dataset.
            digest: Digest of the package; None empties the slot.
            slot: `current` is in service, `candidate` on trial.
        """
        _replace(self.folder(dataset) / slot, digest)

    def share(self, dataset: str) -> TrafficLease | None:
        """Return the traffic lease of the candidate of a dataset; None if none can be read."""
        try:
            return TrafficLease.model_validate_json(_line(self.folder(dataset) / "share"))
        except (OSError, ValueError):
            return None

    def set_traffic(self, dataset: str, share: TrafficLease | None) -> None:
        """Set the traffic share of the candidate of a dataset; None ends it.

        Args:
            dataset: Name of the dataset.
            share: Share and end of the lease; None ends it.
        """
        _replace(self.folder(dataset) / "share", share.model_dump_json() if share else None)


def _line(file: Path) -> str:
    """Return the line of a small file; anything but a regular file could block for ever.

    Raises:
        UserError: If it is not a regular file, or no text.
        FileNotFoundError: If it is not there.
    """
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb", closefd=True) as content:
        if not stat.S_ISREG(os.fstat(content.fileno()).st_mode):
            raise UserError(f"{file} is no regular file, expected one with one line")
        try:
            return content.read(MAX_LINE_BYTES).decode().strip()
        except UnicodeDecodeError as cause:
            raise UserError(f"{file} is no text, expected one line") from cause


def _replace(file: Path, line: str | None) -> None:
    """Replace a file atomically; None removes it."""
    if line is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(line + "\n")
    fresh.replace(file)
