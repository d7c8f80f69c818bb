"""Images of a snapshot with boxes, without their pictures."""

from datetime import UTC, datetime

from components.shared.contracts.annotation import Box
from components.shared.contracts.snapshot import SnapshotImage


def box(x=10.0, side=20.0, label="car"):
    return Box(x_min=x, y_min=10, x_max=x + side, y_max=10 + side, label=label)


def image(number, *boxes, camera="north"):
    return SnapshotImage(
        sha256=f"{number:064x}", width=640, height=480, camera=camera, group="g", split="test",
        captured_at=datetime(2026, 1, 1, tzinfo=UTC), source_name=f"{number}.jpg", boxes=boxes,
    )  # fmt: skip
