"""Average precision is 1 for the truth, 0 for nothing, and else what the COCO rules say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.vision.precision import (
    HALF,
    OVERLAPS,
    Detections,
    GroundTruth,
    judge,
    mean_precision,
)

NOTHING = Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int))
BOX = np.array([[0.0, 0, 10, 10]])


def one(box, score=0.9, label=0):
    return Detections(np.asarray(box, float).reshape(-1, 4), np.array([score]), np.array([label]))


def there(*boxes, label=0):
    return GroundTruth(np.array(boxes, float).reshape(-1, 4), np.full(len(boxes), label))


def scenes(seed):
    """Return six images whose detections are the truth, shaken, with some made up."""
    rng = np.random.default_rng(seed)
    found, truth = [], []
    for _ in range(6):
        low = rng.uniform(0, 80, (rng.integers(0, 6), 2))
        boxes = np.concatenate([low, low + rng.uniform(8, 40, low.shape)], axis=1)
        labels = rng.integers(0, 2, len(boxes))
        shaken = boxes + rng.uniform(-4, 4, boxes.shape)
        found.append(Detections(shaken, rng.random(len(boxes)), labels))
        truth.append(GroundTruth(boxes, labels))
    return found, truth


def test_the_truth_is_perfect():
    _, truth = scenes(0)
    perfect = [Detections(t.boxes, np.ones(len(t.boxes)), t.classes) for t in truth]

    assert mean_precision(perfect, truth) == 1


def test_finding_nothing_is_worth_nothing():
    _, truth = scenes(0)

    assert mean_precision([NOTHING] * len(truth), truth) == 0


def test_without_objects_there_is_no_precision():
    assert math.isnan(mean_precision([one(BOX)], [there()]))


def test_saying_it_twice_is_wrong_once():
    twice = Detections(np.repeat(BOX, 2, axis=0), np.array([0.9, 0.8]), np.zeros(2, int))

    assert judge(twice, there(BOX), HALF)[:, 2].tolist() == [1, 0]
    assert mean_precision([twice, NOTHING], [there(BOX)] * 2, HALF) == pytest.approx(51 / 101)


def test_a_box_counts_from_the_overlap_that_it_reaches():
    near = one([0, 0, 10, 7.2])  # covers 0.72

    assert judge(near, there(BOX))[0, 2:].tolist() == [1] * 5 + [0] * 5
    assert mean_precision([near], [there(BOX)]) == pytest.approx(0.5)


@given(st.integers(0, 2**32))
def test_mean_precision_is_the_mean_over_its_overlaps(seed):
    found, truth = scenes(seed)
    each = [mean_precision(found, truth, [overlap]) for overlap in OVERLAPS]

    assert mean_precision(found, truth) == pytest.approx(np.mean(each))
    assert each == sorted(each, reverse=True)


@given(st.integers(0, 2**32))
def test_the_order_of_images_does_not_matter(seed):
    found, truth = scenes(seed)

    backwards = mean_precision(found[::-1], truth[::-1])
    assert mean_precision(found, truth) == pytest.approx(backwards)
