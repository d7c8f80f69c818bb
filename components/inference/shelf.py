"""Which package serves a dataset is one small file, replaced whole; packages never change.

`<root>/<dataset>/current` holds a digest, and `<root>/<dataset>/<digest>/` is the package.
"""

import os
import re
from pathlib import Path

from components.contracts.refusal import Refusal

DATASET = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
DIGEST = re.compile(r"[0-9a-f]{64}")


class Shelf:
    """The packages of every dataset on this machine.

    Args:
        root: The folder that server and deployer share.
    """

    def __init__(self, root: str | Path) -> None:
        """Name the folder; nothing is read."""
        self.root = Path(root)

    def datasets(self) -> list[str]:
        """Return the datasets that have a current package, by name."""
        return sorted(file.parent.name for file in self.root.glob("*/current"))

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

    def current(self, dataset: str) -> str | None:
        """Return the digest of the package that serves a dataset, or None."""
        file = self.folder(dataset) / "current"
        return file.read_text().strip() if file.exists() else None

    def point(self, dataset: str, digest: str | None) -> None:
        """Make a package the current one, for whoever loads next; None makes it none."""
        file = self.folder(dataset) / "current"
        if digest is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"current.{os.getpid()}")
        fresh.write_text(digest + "\n")
        fresh.replace(file)
