"""Read frames, boxes and image descriptors from a window, a snapshot or the drift reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.shared.contracts.absence import absence
from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.model import PackageInfo, PackageLayout, RegisteredLayout
from components.shared.contracts.policy import DriftPolicy
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

POLICY = DriftPolicy()


@dataclass(frozen=True, slots=True)
class ObservedFrame:
    """One frame with its boxes and descriptors.

    Attributes:
        sha256: SHA-256 of the JPEG, hexadecimal.
        camera: Name of the camera.
        boxes: Predicted boxes of a window, labelled boxes of a snapshot.
        descriptors: Image descriptors by name.
        hash: Perceptual hash of `vision.phash`, 32 bytes; empty if it was not computed.
    """

    sha256: str
    camera: str
    boxes: tuple[Box, ...]
    descriptors: dict[str, float]
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Observed:
    """The frames of a window or a snapshot.

    Attributes:
        id: Id of the window or the snapshot.
        dataset: Name of the dataset.
        model: Digest of the package that predicted; None for labelled frames.
        names: Descriptors that can be compared. Labelled boxes have no scores, so a snapshot
            has only those of the picture.
        frames: The frames.
        served: Number of frames with predictions, of which `frames` is a sample.
        answers: Number of predictions about those frames.
        gone: Number of frames that are left out because their pictures are deleted.
    """

    id: str
    dataset: str
    model: str | None
    names: tuple[str, ...]
    frames: tuple[ObservedFrame, ...]
    served: int = 0
    answers: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """Held-out frames of the champion, or the reason why there are none.

    Attributes:
        model: Digest of the champion's package; None if there is no champion.
        frames: The frames.
        absent: Why there are no frames; None if there are.
    """

    model: str | None
    frames: tuple[ReferenceFrame, ...]
    absent: str | None = None


def observe(root: str | Path, objects: Objects, policy: DriftPolicy = POLICY) -> Observed:
    """Compute the descriptors of the frames of a window or of a snapshot.

    Args:
        root: Folder of a `WindowLayout`, or of a `SnapshotLayout`, of which an even
            sample is read.
        objects: Object store of the images.
        policy: Gives the size of that sample.

    Raises:
        ShardError: If the bytes of a frame are gone or changed.
        JpegError: If a frame cannot be decoded.
    """
    if SnapshotLayout(root).info.exists():
        return _observe_snapshot(SnapshotLayout(root), objects, policy.max_snapshot_images)
    layout = WindowLayout(root)
    info, reader = WindowInfo.read(layout.info), ImageReader(layout.index, objects)
    frames = [_see(frame, frame.boxes, reader) for frame in read_lines(WindowFrame, layout.frames)]
    return Observed(
        info.id, info.dataset, info.model, DESCRIPTORS, tuple(frames),
        served=info.served, answers=info.answers, gone=info.gone,
    )  # fmt: skip


def index_of(root: str | Path) -> Path:
    """Return the index of the images of a window, or of a snapshot."""
    snapshot = SnapshotLayout(root)
    return snapshot.index if snapshot.info.exists() else WindowLayout(root).index


def read_reference(root: str | Path) -> Reference:
    """Read the reference frames of a champion from its `RegisteredLayout`, which may be absent."""
    reason = absence(root)
    if reason:
        return Reference(None, (), reason)
    layout = RegisteredLayout(root)
    package = PackageInfo.read(PackageLayout(layout.package).info)
    return Reference(package.digest, tuple(read_lines(ReferenceFrame, layout.reference)))


def _observe_snapshot(layout: SnapshotLayout, objects: Objects, most: int) -> Observed:
    info, reader = SnapshotInfo.read(layout.info), ImageReader(layout.index, objects)
    images = sorted(read_lines(SnapshotImage, layout.manifest), key=lambda image: image.sha256)
    step = -(-len(images) // most) or 1
    frames = [_see(image, (), reader) for image in images[::step]]
    return Observed(info.id, info.dataset, None, PICTURE, tuple(frames))


def _see(
    frame: WindowFrame | SnapshotImage, scored: Sequence[ScoredBox], reader: ImageReader
) -> ObservedFrame:
    jpeg = reader.read(frame.sha256)
    descriptors = describe(decode_jpeg(jpeg), scored)
    hashed = hash_jpeg(jpeg).tobytes()
    return ObservedFrame(frame.sha256, frame.camera, frame.boxes, descriptors, hashed)
