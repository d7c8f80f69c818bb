"""Workers who share the pictures of the validation split see together what one sees alone."""

import numpy as np
import pytest
import tensorflow as tf

from components.shared.contracts.model import BOXES, SCORES
from components.training.train_detector.data.validation_images import ValidationImage
from components.training.train_detector.learning.validate import validate
from tests.support.worker_threads import together

ANCHORS, CLASSES = 6, 2


def sample(number):
    """Return a sample that says in its first pixel which one it is."""
    rng = np.random.default_rng(number)
    low = rng.uniform(0, 30, (3, 2))
    boxes = np.concatenate([low, low + rng.uniform(8, 30, (3, 2))], axis=1).astype(np.float32)
    return ValidationImage(
        np.full((64, 64, 3), number, np.uint8), boxes, rng.integers(0, CLASSES, 3)
    )


SAMPLES = [sample(number) for number in range(21)]


def serve(images):
    """Be a network that finds the truth, shaken, and boxes that are none."""
    boxes, scores = [], []
    for image in images:
        number = round(float(image.max()) * 255)
        rng, there = np.random.default_rng(100 + number), SAMPLES[number]
        made_up = rng.uniform(0, 60, (ANCHORS - len(there.boxes), 4))
        shaken = there.boxes + rng.uniform(-4, 4, there.boxes.shape)
        boxes.append(np.concatenate([shaken, made_up]).astype(np.float32))
        scores.append(rng.random((ANCHORS, CLASSES)).astype(np.float32))
    return {BOXES: tf.constant(np.stack(boxes)), SCORES: tf.constant(np.stack(scores))}


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_every_worker_hears_what_one_alone_would_measure(workers):
    (alone,) = together(1, lambda group: validate(serve, SAMPLES, CLASSES, group))

    assert 0.1 < alone < 0.9
    assert together(workers, lambda group: validate(serve, SAMPLES, CLASSES, group)) == (
        [alone] * workers
    )


def test_without_objects_there_is_no_precision():
    nothing = [ValidationImage(SAMPLES[0].image, np.zeros((0, 4), "f"), np.zeros(0, np.int32))]

    assert together(2, lambda group: validate(serve, nothing, CLASSES, group)) == [None, None]
