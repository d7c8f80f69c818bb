"""Grey JPEGs, and their lines in a snapshot."""

from datetime import UTC, datetime
from hashlib import sha256

import numpy as np

from components.shared.contracts.annotation import Box
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.vision.jpeg import encode_jpeg

CAR = Box(x_min=40, y_min=20, x_max=88, y_max=60, label="car")


def listed(content, width=128, height=96):
    return SnapshotImage(
        sha256=sha256(content).hexdigest(), width=width, height=height, camera="north",
        group="a", split="train", captured_at=datetime(2026, 1, 1, tzinfo=UTC), source_name="",
        boxes=(CAR,),
    )  # fmt: skip


def jpeg(width=128, height=96, level=90):
    return encode_jpeg(np.full((height, width, 3), level, np.uint8))
