"""Plot distributions of the splits side by side: box sizes, counts, brightness, classes."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from components.data.validate_dataset.inspect_images import InspectedImage
from components.shared.contracts.events import SPLITS
from components.shared.contracts.snapshot import SnapshotInfo
from components.shared.pages.chart import bar_chart, histogram
from components.shared.pages.fragments import columns
from components.shared.pages.page import Fragment
from components.shared.vision.boxes import Boxes, box_areas

SHOWN_BARS = 12

Sides = dict[str, list[InspectedImage]]


def distributions(info: SnapshotInfo, pictures: Sequence[InspectedImage]) -> Fragment:
    """Plot sizes, shapes, counts, brightness, cameras and classes of each split.

    Args:
        info: Description of the snapshot.
        pictures: Its measured images.
    """
    sides: Sides = {split: [p for p in pictures if p.split == split] for split in SPLITS}
    boxes = {split: _solid(here) for split, here in sides.items()}
    sizes = {split: np.sqrt(box_areas(some)) for split, some in boxes.items()}
    shapes = {split: _shapes(some) for split, some in boxes.items()}
    counts = {split: [len(p.labels) for p in here] for split, here in sides.items()}
    lights = {split: [p.brightness for p in here if p.found] for split, here in sides.items()}
    size, shape = "pixels, root of width times height", "width over height"
    return columns(
        histogram(sizes, title="Size of a box", x_label=size, log_x=True),
        histogram(counts, title="Boxes in an image", x_label="boxes"),
        histogram(shapes, title="Shape of a box", x_label=shape, log_x=True),
        histogram(lights, title="Brightness of an image", x_label="mean grey level, 0 to 255"),
        _bars("Images by camera", {s: Counter(p.camera for p in h) for s, h in sides.items()}),
        _bars("Boxes by class", {s: _classes(info, h) for s, h in sides.items()}),
    )


def _solid(pictures: Iterable[InspectedImage]) -> Boxes:
    boxes = np.concatenate([np.zeros((0, 4)), *(picture.boxes for picture in pictures)])
    return boxes[box_areas(boxes) > 0]


def _shapes(boxes: Boxes) -> NDArray[np.float64]:
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    return np.asarray(width / height)


def _classes(info: SnapshotInfo, pictures: Iterable[InspectedImage]) -> Counter[str]:
    counts = Counter(dict.fromkeys(info.classes, 0))
    counts.update(label for picture in pictures for label in picture.labels)
    return counts


def _bars(title: str, counts: dict[str, Counter[str]]) -> Fragment:
    total = sum(counts.values(), Counter[str]())
    names = [name for name, _ in total.most_common(SHOWN_BARS)]
    if len(total) > len(names):
        title += f", the {len(names)} largest of {len(total)}"
    return bar_chart(
        names, {s: [c[n] for n in names] for s, c in counts.items()}, title=title, stacked=True
    )
