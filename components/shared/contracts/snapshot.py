"""Define the files and records of a snapshot, and of a window of served frames.

A snapshot is immutable; its id is the digest of its sorted manifest. The manifest lists
images, boxes and splits. The places of their bytes are in the index, because shards may be
rewritten without changing the id. A window of served frames has the same index.
"""

from collections.abc import Iterable
from pathlib import Path

from pydantic import AwareDatetime, Field

from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.events import Split
from components.shared.contracts.record import Record, digest_of
from components.shared.contracts.values import Name, Sha256


class SnapshotImage(Record):
    """One line of `manifest.jsonl`: an image, its boxes and its split."""

    sha256: Sha256
    width: int
    height: int
    camera: str
    group: str
    split: Split
    captured_at: AwareDatetime
    source_name: str
    boxes: tuple[Box, ...]


class ShardEntry(Record):
    """One line of `index.jsonl`: place of the bytes of an image.

    `shard` is a key in the object store, `shards/<sha256 of the shard>.bin`; a shard is
    its JPEGs one after the other.
    """

    sha256: Sha256
    shard: str
    offset: int = Field(ge=0, description="bytes")
    length: int = Field(gt=0, description="bytes")


class SnapshotInfo(Record):
    """`snapshot.json`: summary of a snapshot and of the images that were left out."""

    id: Sha256
    dataset: Name
    classes: tuple[str, ...]
    as_of: AwareDatetime | None = Field(description="the last label's time; None when empty")
    images: dict[str, int] = Field(description="images by split")
    boxes: dict[str, int] = Field(description="boxes by split")
    left_out: dict[str, str] = Field(
        description="sha256 of an image to the reason, such as bridges_splits"
    )
    refused: dict[str, int] = Field(description="quarantined files of the dataset by reason")
    shared_groups: dict[str, str] = Field(
        default={},
        description="groups that stand in several splits to the reason: owner or too_few_groups",
    )


class SnapshotLayout:
    """Files of a snapshot."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.info = self.root / "snapshot.json"
        self.manifest = self.root / "manifest.jsonl"
        self.index = self.root / "index.jsonl"


def snapshot_id(dataset: str, classes: Iterable[str], images: Iterable[SnapshotImage]) -> str:
    """Return the digest of a snapshot's content, independent of the order of its rows.

    Args:
        dataset: Name of the dataset.
        classes: Class names in order.
        images: Rows of the manifest, in any order.
    """
    lines = sorted(digest_of(image.model_dump(mode="json")) for image in images)
    return digest_of([dataset, list(classes), lines])


class WindowFrame(Record):
    """One line of a window's `frames.jsonl`: a served frame, and the answer."""

    sha256: Sha256
    width: int
    height: int
    camera: str
    captured_at: AwareDatetime
    model: Sha256
    boxes: tuple[ScoredBox, ...]
    latency_ms: float


class WindowInfo(Record):
    """`window.json`: the range of predictions in a window, in the order of the database."""

    dataset: Name
    model: Sha256 | None = Field(description="the champion whose predictions these are")
    since: int = Field(description="the watermark it begins after")
    until: int = Field(description="the watermark it ends with, included")
    frames: int
    id: Sha256
    served: int = Field(default=0, description="frames that were answered; the window has a sample")
    answers: int = Field(default=0, description="about these frames; one may be asked about again")
    gone: int = Field(default=0, description="frames left out, for their pictures are deleted")


class WindowLayout:
    """Files of a window."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.info = self.root / "window.json"
        self.frames = self.root / "frames.jsonl"
        self.index = self.root / "index.jsonl"
