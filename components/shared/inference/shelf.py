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

from components.shared.contracts.record import Record
from components.shared.contracts.refusal import Refusal

Slot = Literal["current", "candidate"]

DATASET = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MAX_LINE_BYTES = 4096  # of a slot or a share
DIGEST = re.compile(r"[0-9a-f]{64}")


class Share(Record):
    """How many of the requests a candidate answers: lent for a while, never given."""

    percent: int
    model: str
    until: float  # seconds since 1970


class Shelf:
    """The packages of every dataset on this machine.

    Args:
        root: The folder that server and deployer share.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def datasets(self, slot: Slot = "current") -> list[str]:
        """Return the datasets that have a package in a slot, by name."""
        return sorted(file.parent.name for file in self.root.glob(f"*/{slot}"))

    def folder(self, dataset: str) -> Path:
        """Return where the packages of a dataset lie.

        Raises:
            Refusal: If this is no name of a dataset, such as one that leaves the folder.
        """
        if not DATASET.fullmatch(dataset):
            raise Refusal(f"{dataset!r} is no dataset, expected small letters, digits and dashes")
        return self.root / dataset

    def package(self, dataset: str, digest: str) -> Path:
        """Return where a package lies, whether it is there or not."""
        if not DIGEST.fullmatch(digest):
            raise Refusal(f"{digest[:80]!r} is no digest, expected 64 hexadecimal digits")
        return self.folder(dataset) / digest

    def signature(self, dataset: str, digest: str) -> Path:
        """Return where the signature of a package lies, whether it is there or not."""
        package = self.package(dataset, digest)
        return package.with_name(f"{package.name}.sig")

    def current(self, dataset: str, slot: Slot = "current") -> str | None:
        """Return the digest of the package that serves a dataset, or None.

        Raises:
            Refusal: If what should say so is no file with a digest in it.
        """
        try:
            digest = _line(self.folder(dataset) / slot)
        except FileNotFoundError:
            return None
        return self.package(dataset, digest).name

    def knows(self, dataset: str) -> bool:
        """Say whether a dataset has a package in any slot."""
        return any((self.folder(dataset) / slot).exists() for slot in get_args(Slot))

    def point(self, dataset: str, digest: str | None, slot: Slot = "current") -> None:
        """Make a package the current one, for whoever loads next; None makes it none."""
        _replace(self.folder(dataset) / slot, digest)

    def share(self, dataset: str) -> Share | None:
        """Return what was lent to the candidate of a dataset; what cannot be read is nothing."""
        try:
            return Share.model_validate_json(_line(self.folder(dataset) / "share"))
        except (OSError, ValueError, Refusal):
            return None

    def lend(self, dataset: str, share: Share | None) -> None:
        """Let the candidate answer a share of the requests from now on; None: none of them."""
        _replace(self.folder(dataset) / "share", share.model_dump_json() if share else None)


def _line(file: Path) -> str:
    """Return what a small file says; what is no regular file could be read for ever.

    Raises:
        Refusal: If it is none, or no text.
        FileNotFoundError: If it is not there.
    """
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb", closefd=True) as content:
        if not stat.S_ISREG(os.fstat(content.fileno()).st_mode):
            raise Refusal(f"{file} is no regular file, expected one with one line")
        try:
            return content.read(MAX_LINE_BYTES).decode().strip()
        except UnicodeDecodeError as cause:
            raise Refusal(f"{file} is no text, expected one line") from cause


def _replace(file: Path, line: str | None) -> None:
    """Write a file whole or not at all; None removes it."""
    if line is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(line + "\n")
    fresh.replace(file)
