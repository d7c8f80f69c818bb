"""Read images of a snapshot or a window from shards, verified by digest."""

from pathlib import Path

from components.shared.contracts.errors import UserError
from components.shared.contracts.events import Split
from components.shared.contracts.record import read_lines
from components.shared.contracts.snapshot import (
    ShardEntry,
    SnapshotImage,
    SnapshotInfo,
    SnapshotLayout,
)
from components.shared.store.objects import Objects, digest_bytes


class ShardError(UserError):
    """The bytes of an image are missing, or have another digest."""


class ImageReader:
    """Reads images by the index of a snapshot or a window.

    Args:
        index: The `index.jsonl` of the folder.
        objects: The store that holds the shards.
    """

    def __init__(self, index: str | Path, objects: Objects) -> None:
        self._objects = objects
        self._entries = {entry.sha256: entry for entry in read_lines(ShardEntry, index)}

    def read(self, sha256: str) -> bytes:
        """Return the JPEG with a digest, reading only its bytes.

        Raises:
            ShardError: If the index does not know it, its shard is gone, or the bytes
                are others than they were.
        """
        entry = self._entries.get(sha256)
        if entry is None:
            raise ShardError(f"image {sha256[:12]} is not in the index, expected a line for it")
        try:
            content = self._objects.get_range(entry.shard, entry.offset, entry.length)
        except FileNotFoundError as cause:
            raise ShardError(
                f"image {sha256[:12]}: {entry.shard} is not in {self._objects.url}"
            ) from cause
        if digest_bytes(content) != sha256:
            raise ShardError(
                f"image {sha256[:12]}: {entry.length:,} bytes at {entry.offset:,} of {entry.shard} "
                f"have digest {digest_bytes(content)[:12]}, so the shard is damaged"
            )
        return content


class SnapshotReader(ImageReader):
    """Reads a snapshot: its description, its images by split, and their bytes.

    Args:
        path: The folder, laid out as `contracts.snapshot.SnapshotLayout`.
        objects: The store that holds the shards.
    """

    def __init__(self, path: str | Path, objects: Objects) -> None:
        layout = SnapshotLayout(path)
        super().__init__(layout.index, objects)
        self.info = SnapshotInfo.read(layout.info)
        self._images = sorted(
            read_lines(SnapshotImage, layout.manifest), key=lambda image: image.sha256
        )

    def images(self, split: Split | None = None) -> list[SnapshotImage]:
        """Return the images of a split, or of all, sorted by digest."""
        return [image for image in self._images if split in (None, image.split)]
