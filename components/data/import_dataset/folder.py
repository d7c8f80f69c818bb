"""List the image files of a folder, and look them up by the names in annotations."""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath

from components.data.import_dataset.found import Problem, UnusableError
from components.data.import_dataset.matching import ImageIndex
from components.data.import_dataset.spellings import IMAGES
from components.data.import_dataset.text import decode, shown
from components.shared.contracts.errors import UserError


class ImageFolder:
    """A folder with images somewhere below it; hidden files are left out.

    Args:
        root: Where its files are.
        called: Name of the folder in messages; its path if empty.

    Raises:
        UserError: If it is no folder, or there is no image in it.
    """

    def __init__(self, root: Path, called: str = "") -> None:
        if not root.is_dir():
            kind = "a file" if root.exists() else "not there"
            raise UserError(f"{root} is {kind}, expected a folder with images and annotations")
        self.root, self.called = root, called or str(root)
        self.files = sorted(
            file.relative_to(root).as_posix()
            for file in root.rglob("*")
            if file.is_file() and not any(p.startswith(".") for p in file.relative_to(root).parts)
        )
        if not self.images:
            raise UserError(
                f"{self.called} has no images, expected some of {', '.join(sorted(IMAGES))}"
            )

    @cached_property
    def images(self) -> list[str]:
        """Names of all images, relative to the root, in order."""
        return self.with_suffix(IMAGES)

    def with_suffix(self, suffixes: Iterable[str]) -> list[str]:
        """Return the names of all files with one of some suffixes, whatever their case."""
        endings = tuple(suffixes)
        return [name for name in self.files if name.lower().endswith(endings)]

    def text(self, name: str) -> str:
        """Return a file's text, decoded as `text.decode` says.

        Raises:
            UnusableError: `unreadable_file`.
        """
        return decode(self.bytes(name))

    def texts(self, names: Iterable[str]) -> tuple[dict[str, str], list[Problem]]:
        """Return the texts of files by name, and a problem for each that cannot be read."""
        texts: dict[str, str] = {}
        problems: list[Problem] = []
        for name in names:
            try:
                texts[name] = self.text(name)
            except UnusableError as error:
                problems.append(Problem(name, error.reason, str(error)))
        return texts, problems

    def bytes(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            UnusableError: `unreadable_file`.
        """
        try:
            return (self.root / name).read_bytes()
        except OSError as cause:
            raise UnusableError("unreadable_file", str(cause.strerror)) from cause

    @cached_property
    def index(self) -> ImageIndex:
        """Return the images by the spellings of their names."""
        return ImageIndex(self.images, self.files)

    def inventory(self) -> str:
        """Return the kinds of files that are no images, the most frequent first.

        Returns:
            Such as `36 .xml, 3 .txt`; empty if there is nothing.
        """
        others = [name for name in self.files if PurePosixPath(name).suffix.lower() not in IMAGES]
        kinds = Counter(PurePosixPath(name).suffix.lower() or "no ending" for name in others)
        return ", ".join(f"{count:,} {shown(kind)}" for kind, count in kinds.most_common(6))
