"""Read frames, boxes and image descriptors from a window, a snapshot or the drift reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.shared.contracts.absence import absence
from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.model import PackageInfo, PackageLayout, RegisteredLayout
from components.shared.contracts.record import read_lines
from components.shared.contracts.report import ReferenceFrame
from components.shared.contracts.snapshot import (
    SnapshotImage,
    SnapshotInfo,
    SnapshotLayout,
    WindowFrame,
    WindowInfo,
    WindowLayout,
)
from components.shared.store.objects import Objects
from components.shared.store.snapshots import ImageReader
from components.shared.vision.descriptors import DESCRIPTORS, PICTURE, describe
from components.shared.vision.jpeg import decode_jpeg
from components.shared.vision.phash import hash_jpeg

MOST_IMAGES = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame, who saw it, what is in it, its descriptors, and 32 bytes of `vision.phash`."""

    sha256: str
    camera: str
    boxes: tuple[Box, ...]
    descriptors: dict[str, float]
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Observed:
    """Some frames that have a name together.

    Attributes:
        id: Id of the window or the snapshot.
        dataset: Whose frames.
        model: Digest of the package that answered; None for labelled frames.
        names: The descriptors that can be compared; labelled boxes have no scores, so of
            a snapshot these are the picture's alone.
        frames: The frames.
        served: How many frames were answered, of which these are a sample.
        answers: How many answers those had.
        gone: How many were left out, for their pictures are deleted.
    """

    id: str
    dataset: str
    model: str | None
    names: tuple[str, ...]
    frames: tuple[Seen, ...]
    served: int = 0
    answers: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """What the champion was judged on, or the reason why there is nothing."""

    model: str | None
    frames: tuple[ReferenceFrame, ...]
    absent: str | None = None


def observe(root: str | Path, objects: Objects) -> Observed:
    """Describe the frames of a window or of a snapshot.

    Args:
        root: Folder of a `WindowLayout`, or of a `SnapshotLayout`, of which an even
            sample is looked at.
        objects: Where the images lie.

    Raises:
        ShardError: If the bytes of a frame are gone or changed.
        JpegError: If a frame cannot be decoded.
    """
    if SnapshotLayout(root).info.exists():
        return _observe_snapshot(SnapshotLayout(root), objects)
    layout = WindowLayout(root)
    info, reader = WindowInfo.read(layout.info), ImageReader(layout.index, objects)
    frames = [_see(frame, frame.boxes, reader) for frame in read_lines(WindowFrame, layout.frames)]
    return Observed(
        info.id, info.dataset, info.model, DESCRIPTORS, tuple(frames),
        served=info.served, answers=info.answers, gone=info.gone,
    )  # fmt: skip


def read_reference(root: str | Path) -> Reference:
    """Read what a champion was judged on from its `RegisteredLayout`, which may be absent."""
    reason = absence(root)
    if reason:
        return Reference(None, (), reason)
    layout = RegisteredLayout(root)
    package = PackageInfo.read(PackageLayout(layout.package).info)
    return Reference(package.digest, tuple(read_lines(ReferenceFrame, layout.reference)))


def _observe_snapshot(layout: SnapshotLayout, objects: Objects) -> Observed:
    info, reader = SnapshotInfo.read(layout.info), ImageReader(layout.index, objects)
    images = sorted(read_lines(SnapshotImage, layout.manifest), key=lambda image: image.sha256)
    step = -(-len(images) // MOST_IMAGES) or 1
    frames = [_see(image, (), reader) for image in images[::step]]
    return Observed(info.id, info.dataset, None, PICTURE, tuple(frames))


def _see(
    frame: WindowFrame | SnapshotImage, scored: Sequence[ScoredBox], reader: ImageReader
) -> Seen:
    jpeg = reader.read(frame.sha256)
    descriptors = describe(decode_jpeg(jpeg), scored)
    hashed = hash_jpeg(jpeg).tobytes()
    return Seen(frame.sha256, frame.camera, frame.boxes, descriptors, hashed)
