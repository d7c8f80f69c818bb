"""A snapshot of tiny scenes whose cells are the objects, as `tiny_graph` sees them."""

from datetime import UTC, datetime
from pathlib import Path

from components.shared.contracts.annotation import Box
from components.shared.contracts.record import write_lines
from components.shared.contracts.snapshot import (
    ShardEntry,
    SnapshotImage,
    SnapshotInfo,
    SnapshotLayout,
    snapshot_id,
)
from components.shared.store.objects import Objects, digest_bytes
from components.shared.store.snapshots import SnapshotReader
from tests.support.tiny_packages import CELL, jpeg_of, scene


def cell_box(x: int, y: int, label: str = "car") -> Box:
    """The box of a cell of the scene."""
    return Box(
        x_min=x * CELL, y_min=y * CELL, x_max=(x + 1) * CELL, y_max=(y + 1) * CELL, label=label
    )


def frozen(root: Path, objects: Objects, pictures, classes=("car",)) -> SnapshotReader:
    """Freeze pictures: each is (split, camera, cells that are lit, true boxes)."""
    contents, images = {}, []
    for number, (split, camera, cells, boxes) in enumerate(pictures):
        jpeg = jpeg_of(scene(cells, 4, 4))
        jpeg += bytes([number])  # what stands behind the end of a JPEG makes it another file
        sha256 = digest_bytes(jpeg)
        contents[sha256] = jpeg
        images.append(
            SnapshotImage(
                sha256=sha256, width=64, height=64, camera=camera, group=camera, split=split,
                captured_at=datetime(2026, 1, 1, tzinfo=UTC), source_name=f"{number}.jpg",
                boxes=tuple(boxes),
            )
        )  # fmt: skip
    layout = SnapshotLayout(root)
    write_lines(images, layout.manifest)
    _store(layout, objects, contents)
    SnapshotInfo(
        id=snapshot_id("toys", classes, images), dataset="toys", classes=tuple(classes),
        as_of=None, images={}, boxes={}, left_out={}, refused={},
    ).write(layout.info)  # fmt: skip
    return SnapshotReader(root, objects)


def _store(layout: SnapshotLayout, objects: Objects, contents: dict[str, bytes]) -> None:
    entries = []
    for sha256, content in contents.items():
        entry = ShardEntry(
            sha256=sha256, shard=f"shards/{sha256}.bin", offset=0, length=len(content)
        )
        objects.put(entry.shard, content)
        entries.append(entry)
    write_lines(entries, layout.index)


LIT = {(0, 0): 0, (2, 1): 0}
PICTURES = [
    ("train", "north", {(3, 3): 0}, [cell_box(3, 3)]),
    ("validation", "north", {(1, 1): 0}, [cell_box(1, 1)]),
    ("test", "north", LIT, [cell_box(0, 0), cell_box(2, 1)]),
    ("test", "south", {(1, 2): 0}, [cell_box(1, 2), cell_box(3, 3)]),
    ("test", "south", {}, []),
]
