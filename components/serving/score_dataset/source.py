"""List the images to score, from a folder or a snapshot, and read each when it is needed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.shared.contracts.errors import UserError
from components.shared.store.snapshots import SnapshotReader

SUFFIXES = (".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class Source:
    """One picture: its name, and a function that reads its bytes."""

    name: str
    read: Callable[[], bytes]


def sources(folder: str, reader: SnapshotReader | None) -> list[Source]:
    """Return the pictures of a folder, or of a snapshot, sorted by name.

    Args:
        folder: Folder whose JPEGs are taken recursively; empty to take the snapshot.
        reader: The snapshot; None to take the folder.

    Raises:
        UserError: If not exactly one is given, or the folder holds no JPEG.
    """
    if bool(folder) == (reader is not None):
        raise UserError("there must be either a folder or a snapshot to score, and not both")
    return _of_folder(Path(folder)) if reader is None else _of_snapshot(reader)


def _of_folder(folder: Path) -> list[Source]:
    if not folder.is_dir():
        what = "a file" if folder.exists() else "not there"
        raise UserError(f"{folder} is {what}, expected a folder of JPEGs")
    files = sorted(
        file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()
    )
    if not files:
        raise UserError(f"{folder} holds no JPEG, expected files named .jpg or .jpeg")
    return [Source(str(file.relative_to(folder)), file.read_bytes) for file in files]


def _of_snapshot(reader: SnapshotReader) -> list[Source]:
    images = sorted(reader.images(), key=lambda image: (image.source_name, image.sha256))
    return [Source(image.source_name, partial(reader.read, image.sha256)) for image in images]
