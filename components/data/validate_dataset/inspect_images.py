"""Read every line of a manifest, invalid boxes included, and decode every image."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from components.shared.contracts.progress import follow
from components.shared.contracts.snapshot import SnapshotLayout
from components.shared.store.snapshots import ImageReader
from components.shared.vision.boxes import Boxes
from components.shared.vision.jpeg import JpegError, decode_jpeg
from components.shared.vision.phash import Hash, hash_jpeg


@dataclass(frozen=True, slots=True)
class InspectedImage:
    """One image: its manifest line, and the measurements of its pixels.

    Attributes:
        sha256: Of its JPEG.
        name: Name of the source file.
        camera: Who took it.
        group: Frames that must share a split.
        split: Where it stands.
        size: Width and height in pixels, as labelled.
        boxes: `[N, 4]`, as labelled, whatever they are.
        labels: `N` class names.
        found: Width and height in pixels, as decoded; None if it does not decode.
        fault: Why it does not decode.
        brightness: Mean grey level, 0 to 255.
        hash: By `vision.phash`.
    """

    sha256: str
    name: str
    camera: str
    group: str
    split: str
    size: tuple[int, int]
    boxes: Boxes
    labels: tuple[str, ...]
    found: tuple[int, int] | None = None
    fault: str = ""
    brightness: float = 0.0
    hash: Hash | None = None


def inspect_images(root: str | Path, reader: ImageReader) -> list[InspectedImage]:
    """Decode and measure every image of a snapshot.

    Args:
        root: Folder of the snapshot, a `SnapshotLayout`.
        reader: Gives the bytes.

    Returns:
        The images in the order of the manifest.

    Raises:
        ShardError: If the bytes of an image are gone or damaged.
    """
    lines = SnapshotLayout(root).manifest.read_text().splitlines()
    progress = follow(len(lines), "images opened")
    pictures = []
    for done, line in enumerate(lines):
        progress(done)
        pictures.append(_picture(json.loads(line), reader))
    return pictures


def _picture(line: dict[str, Any], reader: ImageReader) -> InspectedImage:
    edges = ("x_min", "y_min", "x_max", "y_max")
    boxes = [[float(box[edge]) for edge in edges] for box in line["boxes"]]
    seen: dict[str, Any] = dict(_decode(reader.read(line["sha256"])))
    return InspectedImage(
        sha256=line["sha256"],
        name=line["source_name"],
        camera=line["camera"],
        group=line["group"],
        split=line["split"],
        size=(line["width"], line["height"]),
        boxes=np.array(boxes, np.float64).reshape(-1, 4),
        labels=tuple(box["label"] for box in line["boxes"]),
        **seen,
    )


def _decode(content: bytes) -> Iterator[tuple[str, Any]]:
    try:
        image = decode_jpeg(content)
    except JpegError as refusal:
        yield "fault", str(refusal)
    else:
        yield "found", (image.shape[1], image.shape[0])
        yield "brightness", float(image.mean())
        yield "hash", hash_jpeg(content)
