"""A champion, and windows of pictures that it answered by day and by night."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.model import PackageInfo, RegisteredLayout
from components.shared.contracts.record import write_lines
from components.shared.contracts.report import ReferenceFrame
from components.shared.contracts.snapshot import ShardEntry, WindowFrame, WindowInfo, WindowLayout
from components.shared.store.objects import Objects, digest_bytes, frame_key
from components.shared.vision.descriptors import describe
from components.shared.vision.jpeg import decode_jpeg, encode_jpeg

NOON = "2026-01-01T12:00:00Z"


@dataclass(frozen=True)
class Shot:
    jpeg: bytes
    camera: str
    boxes: tuple[ScoredBox, ...]

    @property
    def sha256(self):
        return digest_bytes(self.jpeg)


def shoot(seed, light=1.0):
    """A grey yard with a few bright cars in it."""
    random = np.random.default_rng(seed)
    picture = random.normal(110 + 10 * (seed % 2), 8, (60, 80, 3))
    boxes = []
    for x in random.choice(6, random.integers(1, 4), replace=False) * 12.0:
        picture[20:40, int(x) : int(x) + 10] += 90
        score = float(random.uniform(0.4, 0.95))
        boxes.append(ScoredBox(x_min=x, y_min=20, x_max=x + 10, y_max=40, label="car", score=score))
    jpeg = encode_jpeg(np.clip(picture * light, 0, 255).astype(np.uint8))
    return Shot(jpeg, f"camera-{seed % 2}", tuple(boxes))


class Scene:
    """A champion judged on forty day frames, and the windows served to it."""

    def __init__(self, root: Path, url: str, package):
        self.root, self.objects = root, Objects(url)
        self.champion = RegisteredLayout(root / "champion")
        layout = package(self.champion.package, dataset="yard")
        self.model = PackageInfo.read(layout.info).digest
        write_lines(map(self._judged, map(shoot, range(40))), self.champion.reference)

    def window(self, name="window", frames=30, light=1.0):
        layout = WindowLayout(self.root / name)
        shots = [shoot(1000 + number, light) for number in range(frames)]
        for shot in shots:
            self.objects.put_once(frame_key(shot.sha256), shot.jpeg)
        write_lines(map(self._served, shots), layout.frames)
        write_lines(map(entry, shots), layout.index)
        WindowInfo(
            dataset="yard", model=self.model, since=0, until=frames, frames=frames,
            id=digest_bytes(name.encode()),
        ).write(layout.info)  # fmt: skip
        return layout

    def _judged(self, shot):
        descriptors = describe(decode_jpeg(shot.jpeg), shot.boxes)
        return ReferenceFrame(
            sha256=shot.sha256, camera=shot.camera, boxes=shot.boxes, descriptors=descriptors
        )

    def _served(self, shot):
        return WindowFrame(
            sha256=shot.sha256, width=80, height=60, camera=shot.camera, captured_at=NOON,
            model=self.model, boxes=shot.boxes, latency_ms=5,
        )  # fmt: skip


def entry(shot):
    return ShardEntry(
        sha256=shot.sha256, shard=frame_key(shot.sha256), offset=0, length=len(shot.jpeg)
    )
