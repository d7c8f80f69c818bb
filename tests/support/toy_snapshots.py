"""A snapshot so small that workers are done with it in seconds."""

import hashlib
from datetime import UTC, datetime

import numpy as np

from components.shared.contracts.annotation import Box
from components.shared.contracts.model import Lineage, TrainedInfo
from components.shared.contracts.record import digest_of, write_lines
from components.shared.contracts.snapshot import (
    SnapshotImage,
    SnapshotInfo,
    SnapshotLayout,
    snapshot_id,
)
from components.shared.store.shards import pack_shards
from components.shared.vision.jpeg import encode_jpeg
from components.training.train_detector.plan.fingerprint import code_digest
from components.training.train_detector.plan.plan import Plan
from components.training.train_detector.plan.settings import TrainingSettings

SPLITS = ["train"] * 6 + ["validation"] * 2
CAR = Box(x_min=20, y_min=10, x_max=44, y_max=30, label="car")


def pictures():
    """Return small JPEGs, each with one bright car on noise, by their digests."""
    rng = np.random.default_rng(0)
    made = {}
    for _ in SPLITS:
        picture = rng.integers(0, 90, (48, 64, 3)).astype(np.uint8)
        picture[10:30, 20:44] = 240
        content = encode_jpeg(picture)
        made[hashlib.sha256(content).hexdigest()] = content
    return made


def write_snapshot(root, objects, validated=(CAR,)):
    """Write the toys as a snapshot; `validated` are the boxes of the validation split."""
    layout, contents = SnapshotLayout(root), pictures()
    images = [
        SnapshotImage(
            sha256=sha256, width=64, height=48, camera="north", group=split, split=split,
            captured_at=datetime(2026, 1, 1, tzinfo=UTC), source_name="",
            boxes=(CAR,) if split == "train" else validated,
        )
        for sha256, split in zip(contents, SPLITS, strict=True)
    ]  # fmt: skip
    for shard in pack_shards(contents, contents.__getitem__):
        objects.put(shard.key, shard.content)
        write_lines(shard.entries, layout.index)
    write_lines(images, layout.manifest)
    counts = {split: SPLITS.count(split) for split in ("train", "validation")}
    info = SnapshotInfo(
        id=snapshot_id("toys", ["car"], images), dataset="toys", classes=("car",), as_of=None,
        images=counts, boxes=counts, left_out={}, refused={},
    )  # fmt: skip
    info.write(layout.info)
    return info


def toy_plan(workers=2, code=None, seed=0):
    """Return a plan for the toys that nobody has laid out."""
    settings = TrainingSettings(image_size=64, epochs=1, batch_size=4, workers=workers, seed=seed)
    lineage = Lineage(
        dataset="toys", snapshot="5" * 64, code=code or code_digest(), settings={}, seed=seed,
        start="scratch", fingerprint=digest_of([workers, seed]),
    )  # fmt: skip
    info = TrainedInfo(
        lineage=lineage, classes=("car",), image_width=64, image_height=64, size="pico",
        best_epoch=0, validation_map50=0.0,
    )  # fmt: skip
    return Plan(settings=settings, epochs=1, info=info)
