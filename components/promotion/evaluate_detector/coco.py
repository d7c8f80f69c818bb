"""The twelve COCO metrics and mAP50 of slices, from boxes in pixels of the stored images."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass

import hotcoco
import numpy as np
from numpy.typing import NDArray

from components.promotion.evaluate_detector.slices import ANY_AREA, Slice, slices_of
from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.report import COCO_METRICS
from components.shared.contracts.snapshot import SnapshotImage

AT_HALF, ANY_SIZE, AT_100_BOXES = 0, 0, -1  # places along the axes of COCO's precision array
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """The metrics of one model.

    Attributes:
        coco: The twelve COCO metrics by name; -1 where there is nothing to measure.
        slices: mAP50 by kind of slice, then by its value; only where there is truth.
        recall: `[101]`, 0 to 1; empty if there is no true box.
        precision: `[101]` at an overlap of one half, the mean of all classes, 0 to 1; empty if
            there is no true box.
        found: The boxes, as the library holds them.
    """

    coco: dict[str, float]
    slices: dict[str, dict[str, float]]
    recall: Floats
    precision: Floats
    found: hotcoco.COCO


class CocoTruth:
    """The true boxes of some images, in COCO's form: images and classes are numbered from one.

    Args:
        images: The images with their true boxes.
        classes: Names of the classes; boxes of other classes are ignored on both sides.
    """

    def __init__(self, images: Sequence[SnapshotImage], classes: Sequence[str]) -> None:
        self.images = sorted(images, key=lambda image: image.sha256)
        self.classes = tuple(classes)
        self.slices = slices_of(self.images, self.classes)
        self._labels = {name: number for number, name in enumerate(classes, 1)}
        rows = self._rows({image.sha256: image.boxes for image in self.images})
        self._coco = hotcoco.COCO.from_arrays(
            [
                {"id": number, "width": image.width, "height": image.height}
                for number, image in enumerate(self.images, 1)
            ],
            [{"id": number, "name": name} for name, number in self._labels.items()],
            rows[:, 0].astype(np.int64),
            rows[:, 6].astype(np.int64),
            rows[:, 1:5],
        )

    def slice_boxes(self) -> dict[str, dict[str, int]]:
        """Return the number of true boxes of each slice that has any."""
        boxes: dict[str, dict[str, int]] = {}
        for part in self.slices:
            boxes.setdefault(part.kind, {})[part.name] = part.boxes
        return boxes

    def measure(self, found: Mapping[str, Sequence[ScoredBox]]) -> Measured:
        """Compute the metrics of found boxes.

        Args:
            found: Boxes by the SHA-256 of their image; an image may have none.

        Source:
            Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the
            evaluation of cocodataset.org: 10 overlaps, 101 recalls, 100 boxes an image.
        """
        answers = self._coco.load_res(self._rows(found))
        evaluation = hotcoco.COCOeval(self._coco, answers, "bbox")
        with redirect_stdout(io.StringIO()):  # the library prints its results
            evaluation.run()
        at_half = _precision(evaluation)[AT_HALF, :, :, ANY_SIZE, AT_100_BOXES]  # [101, classes]
        known = at_half[:, at_half[0] > -1]
        return Measured(
            dict(zip(COCO_METRICS, map(float, evaluation.stats), strict=True)),
            self._by_slice(answers),
            np.asarray(evaluation.params.rec_thrs)[: len(known) if known.size else 0],
            known.mean(axis=1) if known.size else np.zeros(0),
            answers,
        )

    def compared(self, found: hotcoco.COCO, part: Slice | None = None) -> hotcoco.COCOeval:
        """Return the COCO evaluation of found boxes on a slice or all images, not yet summarized.

        Of a slice only mAP50 is used, so it is evaluated at an IoU of 0.5 alone.

        Args:
            found: `Measured.found`.
            part: One of `slices`; None for all images.
        """
        evaluation = hotcoco.COCOeval(self._coco, found, "bbox")
        rules = evaluation.params
        if part:
            rules.img_ids = [place + 1 for place in part.images]
            rules.cat_ids = [self._labels[name] for name in part.classes]
            rules.iou_thrs = [0.5]
        rules.area_rng, rules.area_rng_lbl = [list(part.area if part else ANY_AREA)], ["all"]
        rules.max_dets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
        return evaluation

    def _by_slice(self, found: hotcoco.COCO) -> dict[str, dict[str, float]]:
        values: dict[str, dict[str, float]] = {}
        for part in self.slices:
            at_half = _precision(self.compared(found, part))[AT_HALF]
            values.setdefault(part.kind, {})[part.name] = float(at_half[at_half > -1].mean())
        return values

    def _rows(self, boxes: Mapping[str, Sequence[Box]]) -> Floats:
        """Return `[N, 7]`: image, x, y, width, height, score and class of each box."""
        rows = np.fromiter(self._numbers(boxes), np.float64).reshape(-1, 7)
        rows[:, 3:5] -= rows[:, 1:3]
        return rows

    def _numbers(self, boxes: Mapping[str, Sequence[Box]]) -> Iterator[float]:
        # One number after the other: a tuple for each of 200,000 boxes takes twice as long.
        for number, image in enumerate(self.images, 1):
            for box in boxes.get(image.sha256, ()):
                if label := self._labels.get(box.label):
                    yield number
                    yield box.x_min
                    yield box.y_min
                    yield box.x_max
                    yield box.y_max
                    yield getattr(box, "score", 1.0)
                    yield label


def _precision(evaluation: hotcoco.COCOeval) -> Floats:
    summed = evaluation.eval
    assert summed is not None  # it was accumulated
    return np.asarray(summed["precision"])  # [overlaps, recalls, classes, sizes, limits]
