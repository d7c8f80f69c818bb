"""Compute mAP50 on the validation split, with the suppression of serving."""

import math

import numpy as np
from numpy.typing import NDArray

from components.shared.contracts.model import BOXES, SCORES, Postprocessing
from components.shared.network.tensors import Serve
from components.shared.vision.letterbox import network_input
from components.shared.vision.precision import HALF, Detections, GroundTruth, judge, precision_of
from components.shared.vision.suppression import suppress
from components.training.train_detector.data.split import MapDataset
from components.training.train_detector.data.validation_images import ValidationImage
from components.training.train_detector.learning.worker_group import WorkerGroup

CANDIDATES = Postprocessing(score_threshold=0.01, candidates=400)
BATCH = 8


def validate(
    serve: Serve, samples: MapDataset[ValidationImage], classes: int, group: WorkerGroup
) -> float | None:
    """Return mAP50 of a serving function on samples, the same in every worker.

    Each worker looks at its share of the samples, and all hear what each has found.

    Args:
        serve: Raw boxes, in pixels of the input, and their scores.
        samples: All of them.
        classes: Number of classes.
        group: All workers, with the same function and samples.

    Returns:
        0 to 1, or None if no sample has a box.
    """
    judged, objects = [], np.zeros(classes, np.float32)
    for start in range(0, len(samples), BATCH * group.workers):
        first = start + BATCH * group.index
        mine = [samples[at] for at in range(first, min(first + BATCH, len(samples)))]
        seen = np.zeros((group.workers, BATCH, CANDIDATES.max_boxes, 3), np.float32)
        if mine:
            _predict(serve, mine, seen[group.index])
        found = group.total(seen).reshape(-1, 3)
        judged.append(found[found[:, 1] > 0])  # the others are empty places
        for sample in mine:
            objects += np.bincount(sample.classes, minlength=classes)
    precision = group.broadcast_from_chief(
        precision_of(np.concatenate(judged), group.total(objects))
    )
    return None if math.isnan(precision) else precision


def _predict(serve: Serve, samples: list[ValidationImage], seen: NDArray[np.float32]) -> None:
    """Fill a row for each box that is found in each sample."""
    outputs = serve(network_input(np.stack([sample.image for sample in samples])))
    raw = zip(outputs[BOXES].numpy(), outputs[SCORES].numpy(), strict=True)
    for row, sample, (boxes, scores) in zip(seen, samples, raw, strict=False):
        found = Detections(*suppress(boxes, scores, CANDIDATES))
        row[: len(found.scores)] = judge(found, GroundTruth(sample.boxes, sample.classes), HALF)
