"""Average precision is what the COCO library says."""

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from components.shared.vision.precision import HALF, Detections, GroundTruth, mean_precision


def boxes(rng, count):
    low = rng.uniform(0, 80, (count, 2))
    return np.concatenate([low, low + rng.uniform(8, 40, (count, 2))], axis=1)


def scenes(seed, images=12, classes=2):
    """Return images whose detections are the truth, shaken, with some made up."""
    rng = np.random.default_rng(seed)
    found, truth = [], []
    for _ in range(images):
        there = boxes(rng, rng.integers(0, 6))
        labels = rng.integers(0, classes, len(there))
        made_up = boxes(rng, rng.integers(0, 4))
        seen = np.concatenate([there + rng.uniform(-3.9, 3.9, there.shape), made_up])
        said = np.concatenate([labels, rng.integers(0, classes, len(made_up))])
        found.append(Detections(seen, rng.random(len(seen)), said))
        truth.append(GroundTruth(there, labels))
    return found, truth


def by_library(found, truth):
    def xywh(box):
        return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]

    annotations, detections = [], []
    for image, (one, there) in enumerate(zip(found, truth, strict=True), 1):
        for box, label in zip(there.boxes, there.classes, strict=True):
            x, y, w, h = xywh(box)
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image, "category_id": int(label),
                 "bbox": [x, y, w, h], "area": w * h, "iscrowd": 0}
            )  # fmt: skip
        for box, score, label in zip(*one, strict=True):
            detections.append(
                {"image_id": image, "category_id": int(label), "bbox": xywh(box),
                 "score": float(score)}
            )  # fmt: skip
    data = {
        "images": [{"id": n + 1, "width": 200, "height": 200} for n in range(len(truth))],
        "categories": [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}],
        "annotations": annotations,
    }
    theirs = COCO()
    theirs.dataset = data
    with contextlib.redirect_stdout(io.StringIO()):
        theirs.createIndex()
        evaluation = COCOeval(theirs, theirs.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[1]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_the_coco_library_says(seed):
    found, truth = scenes(seed)

    assert mean_precision(found, truth, HALF) == pytest.approx(by_library(found, truth), abs=1e-6)
