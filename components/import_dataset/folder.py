"""A folder's image files, found by what annotations call them."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath

from components.contracts.refusal import Refusal
from components.import_dataset.found import UnusableError

IMAGES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp"})
OTHER_IMAGES = frozenset({".tif", ".tiff", ".gif", ".heic", ".heif", ".avif", ".jp2"})


class Folder:
    """A folder with images somewhere below it.

    Args:
        root: Where its files are.
        called: What people call it; empty is where it is.

    Raises:
        Refusal: If it is no folder, or there is no image in it.
    """

    def __init__(self, root: Path, called: str = "") -> None:
        """List its files, hidden ones left out."""
        if not root.is_dir():
            kind = "a file" if root.exists() else "not there"
            raise Refusal(f"{root} is {kind}, expected a folder with images and annotations")
        self.root, self.called = root, called or str(root)
        self.files = sorted(
            file.relative_to(root).as_posix()
            for file in root.rglob("*")
            if file.is_file() and not any(p.startswith(".") for p in file.relative_to(root).parts)
        )
        if not self.images:
            raise Refusal(
                f"{self.called} has no images, expected some of {', '.join(sorted(IMAGES))}"
            )

    @cached_property
    def images(self) -> list[str]:
        """Names of all images, relative to the root, in order."""
        return self.with_suffix(IMAGES)

    def with_suffix(self, suffixes: Iterable[str]) -> list[str]:
        """Return the names of all files with one of some suffixes, whatever their case."""
        return [name for name in self.files if PurePosixPath(name).suffix.lower() in set(suffixes)]

    def text(self, name: str) -> str:
        """Return a file's text; what is no UTF-8 in it shows as such and stops nothing."""
        return (self.root / name).read_text("utf-8-sig", errors="replace")

    def bytes(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            UnusableError: `unreadable_file`.
        """
        try:
            return (self.root / name).read_bytes()
        except OSError as cause:
            raise UnusableError("unreadable_file", str(cause.strerror)) from cause

    def image(self, called: str, beside: str) -> str | None:
        """Return the image that an annotation means, or None.

        Args:
            called: A path as the annotation spells it.
            beside: The annotation's own file; its folder is searched first, then the
                folder `images` beside it, then every folder, if only one has the name.
        """
        wanted = PurePosixPath(called.strip().replace("\\", "/"))
        near = PurePosixPath(beside).parent
        for guess in (near / wanted, near / "images" / wanted, wanted):
            if str(guess) in self._known:
                return str(guess)
        namesakes = self._by_name[wanted.name]
        return namesakes[0] if len(namesakes) == 1 else None

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.images)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = defaultdict(list)
        for image in self.images:
            names[PurePosixPath(image).name].append(image)
        return names
