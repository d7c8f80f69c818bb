"""The twelve COCO numbers and their slices, of boxes in the pixels of the stored images."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster  # type: ignore[import-untyped]
from numpy.typing import NDArray

from components.contracts.annotation import Box, ScoredBox
from components.contracts.report import COCO_METRICS
from components.contracts.snapshot import SnapshotImage

AT_HALF, ANY_SIZE, MOST_BOXES = 0, 0, -1  # places along the axes of COCO's precision array
SIZES = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 1e10)}  # square pixels
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """How well boxes fit the truth.

    Attributes:
        coco: The twelve numbers by name; -1 where there is nothing to measure.
        slices: mAP50 by kind of slice, then by its value; only where there is truth.
        recall: `[101]`, 0 to 1.
        precision: `[101]` at an overlap of one half, the mean of all classes, 0 to 1.
    """

    coco: dict[str, float]
    slices: dict[str, dict[str, float]]
    recall: Floats
    precision: Floats


class Truth:
    """The true boxes of some images, ready to be compared with.

    Args:
        images: What is known of them.
        classes: Those that count; boxes of others are ignored on both sides.
    """

    def __init__(self, images: Sequence[SnapshotImage], classes: Sequence[str]) -> None:
        """Number images and classes as COCO does, from one."""
        self.images = sorted(images, key=lambda image: image.camera)
        self.classes = tuple(classes)
        self._labels = {name: number for number, name in enumerate(classes, 1)}
        self._coco = COCO(
            {
                "images": [
                    {"id": number, "width": image.width, "height": image.height}
                    for number, image in enumerate(self.images, 1)
                ],
                "categories": [{"id": id_, "name": name} for name, id_ in self._labels.items()],
                "annotations": [
                    row | {"id": id_, "iscrowd": 0, "area": row["bbox"][2] * row["bbox"][3]}
                    for id_, row in enumerate(
                        self._rows({image.sha256: image.boxes for image in self.images}), 1
                    )
                ],
            }
        )

    def slice_boxes(self) -> dict[str, dict[str, int]]:
        """Return how many true boxes each slice has, those without any left out."""
        boxes = [(image, box) for image in self.images for box in image.boxes]
        boxes = [(image, box) for image, box in boxes if box.label in self._labels]
        return {
            "class": _count(box.label for _, box in boxes),
            "size": _count(_size(box) for _, box in boxes),
            "camera": _count(image.camera for image, _ in boxes),
        }

    def measure(self, found: Mapping[str, Sequence[ScoredBox]]) -> Measured:
        """Compare found boxes with the truth.

        Args:
            found: Boxes by the SHA-256 of their image; an image may have none.

        Source:
            Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the
            evaluation of cocodataset.org: 10 overlaps, 101 recalls, 100 boxes an image.
        """
        answers = self._coco.loadRes(self._rows(found))
        evaluation = COCOeval_faster(self._coco, answers, iouType="bbox")
        evaluation.run()
        at_half = evaluation.eval["precision"][AT_HALF]  # [101, classes, sizes, limits]
        by_class = at_half[:, :, ANY_SIZE, MOST_BOXES]
        slices = {
            "class": {
                name: _mean(column) for name, column in zip(self.classes, by_class.T, strict=True)
            },
            "size": {
                name: _mean(at_half[:, :, number, MOST_BOXES])
                for number, name in enumerate(SIZES, 1)
            },
            "camera": self._by_camera(answers),
        }
        known = by_class[:, by_class[0] > -1]
        return Measured(
            dict(zip(COCO_METRICS, map(float, evaluation.stats[:12]), strict=True)),
            {kind: _defined(values) for kind, values in slices.items()},
            np.asarray(evaluation.params.recThrs),
            known.mean(axis=1) if known.size else np.zeros(len(by_class)),
        )

    def _by_camera(self, answers: COCO) -> dict[str, float]:
        """Return mAP50 by camera; each image is looked at once, at one overlap and size."""
        numbered = enumerate(self.images, 1)
        values = {}
        for camera, images in groupby(numbered, key=lambda pair: pair[1].camera):
            evaluation = COCOeval_faster(self._coco, answers, iouType="bbox")
            evaluation.params.imgIds = [number for number, _ in images]
            evaluation.params.iouThrs = np.array([0.5])
            evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
            evaluation.params.maxDets = [100]
            evaluation.evaluate()
            evaluation.accumulate()
            values[camera] = _mean(evaluation.eval["precision"])
        return values

    def _rows(self, boxes: Mapping[str, Sequence[Box]]) -> list[dict[str, Any]]:
        return [
            {
                "image_id": number,
                "category_id": self._labels[box.label],
                "bbox": [box.x_min, box.y_min, box.x_max - box.x_min, box.y_max - box.y_min],
                "score": getattr(box, "score", 1.0),
            }
            for number, image in enumerate(self.images, 1)
            for box in boxes.get(image.sha256, ())
            if box.label in self._labels
        ]


def _mean(precision: Floats) -> float:
    defined = precision[precision > -1]
    return float(defined.mean()) if defined.size else -1.0


def _defined(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value >= 0}


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _size(box: Box) -> str:
    area = (box.x_max - box.x_min) * (box.y_max - box.y_min)
    return next(name for name, (_, end) in SIZES.items() if area < end)
