"""Snapshots that are sound but for what a test breaks."""

import json

import numpy as np
from PIL import Image

from components.data.validate_dataset.check import check
from components.data.validate_dataset.inspect_images import inspect_images
from components.data.validate_dataset.validate import validate
from components.shared.contracts.policy import Policy, ValidationPolicy
from components.shared.contracts.record import write_lines
from components.shared.contracts.snapshot import SnapshotInfo, SnapshotLayout
from components.shared.store.objects import digest_bytes
from components.shared.store.shards import pack_shards
from components.shared.store.snapshots import ImageReader
from components.shared.vision.jpeg import encode_jpeg

SPLITS = ["train"] * 4 + ["validation"] * 2 + ["test"] * 2


def jpeg(seed, **options):
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((96, 72), Image.Resampling.BICUBIC)
    return encode_jpeg(np.array(picture), **options)


def box(x_min=1, y_min=2.5, x_max=30, y_max=20, label="car"):
    return {"x_min": x_min, "y_min": y_min, "x_max": x_max, "y_max": y_max, "label": label}


class Draft:
    """A snapshot still to be written: `contents` and `lines` may be broken before."""

    def __init__(self, root, objects):
        self.layout, self.objects = SnapshotLayout(root), objects
        self.contents = [jpeg(seed) for seed in range(len(SPLITS))]
        self.lines = [self.line(number, split) for number, split in enumerate(SPLITS)]
        self.info = {"shared_groups": {}, "left_out": {}, "refused": {}, "classes": ("car",)}

    def line(self, number, split):
        return {
            "width": 96,
            "height": 72,
            "camera": f"camera {number % 2}",
            "group": f"{split} {number}",
            "split": split,
            "captured_at": "2026-05-01T12:00:00Z",
            "source_name": f"{number}.jpg",
            "boxes": [box()],
        }

    def write(self):
        digests = [digest_bytes(content) for content in self.contents]
        bytes_of = dict(zip(digests, self.contents, strict=True))
        shards = list(pack_shards(digests, bytes_of.__getitem__))
        for shard in shards:
            self.objects.put(shard.key, shard.content)
        write_lines((entry for shard in shards for entry in shard.entries), self.layout.index)
        lines = [
            json.dumps(line | {"sha256": sha256})
            for line, sha256 in zip(self.lines, digests, strict=True)
        ]
        self.layout.manifest.write_text("".join(f"{line}\n" for line in lines))
        splits = [line["split"] for line in self.lines]
        counts = {split: splits.count(split) for split in ("train", "validation", "test")}
        SnapshotInfo(
            id="5" * 64, dataset="toy", as_of=None, images=counts, boxes=counts, **self.info
        ).write(self.layout.info)
        return self.layout.root


def found(draft, **policy):
    root = draft.write()
    pictures = inspect_images(root, ImageReader(draft.layout.index, draft.objects))
    info = SnapshotInfo.read(draft.layout.info)
    return check(info, pictures, ValidationPolicy(**{"min_images": 1, **policy}))


def policies(**policy):
    return Policy(validation=ValidationPolicy(**{"min_images": 1, **policy}))


def validated(draft, page, **policy):
    return validate(draft.write(), draft.objects, page, policies(**policy))
