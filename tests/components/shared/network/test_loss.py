"""The loss is a sum that is small where the network is right, and finite where nothing is."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.shared.network.decode import anchor_points
from components.shared.network.loss import ciou, detection_loss, distribution_focal_loss
from components.shared.network.network import BINS
from tests.support.reference_arithmetic import complete_iou, distance_loss

CENTRES, STRIDES = anchor_points(64, 64)
BOX = np.array([[[8.0, 8.0, 40.0, 40.0]]], np.float32)
CAR = np.array([[0]], np.int32)


def said(images=1, seed=0):
    rng = np.random.default_rng(seed)
    anchors = len(STRIDES)
    return {
        "logits": tf.constant(rng.normal(-3, 1, (images, anchors, 1)), tf.float32),
        "bins": tf.constant(rng.normal(0, 1, (images, anchors, 4, BINS)), tf.float32),
    }


def perfect():
    """Return what a network says that sees `BOX` from every anchor inside it."""
    distances = np.concatenate([CENTRES - BOX[0, 0, :2], BOX[0, 0, 2:] - CENTRES], axis=1)
    steps = np.clip(distances / STRIDES[:, None] + 1, 0, BINS - 1)
    bins = -50.0 * np.abs(np.arange(BINS) - steps[..., None])
    inside = (distances > 0).all(axis=1)
    logits = np.where(inside, 20.0, -20.0)[None, :, None]
    return {"logits": tf.constant(logits, tf.float32), "bins": tf.constant(bins[None], tf.float32)}


@st.composite
def pairs(draw):
    """Return two boxes `[1, 4]`; the first may be empty or turned inside out."""
    place, side = st.floats(-40, 40, width=32), st.floats(1, 60, width=32)
    first = np.array([[draw(place) for _ in range(4)]], np.float32)
    x, y = draw(place), draw(place)
    return first, np.array([[x, y, x + draw(side), y + draw(side)]], np.float32)


@settings(max_examples=60, deadline=None)
@given(pairs())
def test_the_complete_overlap_is_that_of_the_paper(pair):
    assert float(ciou(*pair)[0]) == pytest.approx(complete_iou(pair[0][0], pair[1][0]), abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(pairs(), st.sampled_from([0.0, 1e-6, 1e-3]))
def test_its_gradient_is_finite_for_every_box_also_for_an_empty_one(pair, side):
    thin = np.concatenate([pair[0][:, :2], pair[0][:, :2] + side], axis=1)
    first = tf.Variable(np.concatenate([pair[0], thin, pair[1]]))
    with tf.GradientTape() as tape:
        overlap = ciou(first, np.repeat(pair[1], 3, axis=0))

    assert np.isfinite(tape.gradient(overlap, first).numpy()).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([8.0, 16.0, 32.0]))
def test_the_loss_of_distances_is_that_of_the_paper(seed, stride):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (1, 4, BINS)).astype(np.float32)
    centre = rng.uniform(0, 64, (1, 2)).astype(np.float32)
    box = np.concatenate([centre - rng.uniform(-20, 200, 2), centre + rng.uniform(-20, 200, 2)], 1)
    box = box.astype(np.float32)
    fast = float(distribution_focal_loss(logits, box, centre, np.array([stride], np.float32))[0])

    assert fast == pytest.approx(distance_loss(logits[0], box[0], centre[0], stride), rel=1e-3)


def test_no_object_anywhere_costs_only_what_was_claimed():
    loss = detection_loss(said(), CENTRES, STRIDES, np.zeros((1, 0, 4), "f"), np.zeros((1, 0), "i"))

    assert loss.classes > 0
    assert loss.boxes == loss.distances == loss.weight == 0


@pytest.mark.parametrize("places", [0, 1, 3])
def test_gradients_are_finite_for_no_object_for_empty_boxes_and_for_the_same_one_twice(places):
    boxes = np.array([[[8, 8, 8, 8], [8, 8, 40, 40], [8, 8, 40, 40]]], np.float32)[:, :places]
    answer = said()
    with tf.GradientTape() as tape:
        tape.watch(list(answer.values()))
        total = detection_loss(
            answer, CENTRES, STRIDES, boxes, np.zeros((1, places), np.int32)
        ).total
    for gradient in tape.gradient(total, list(answer.values())):
        assert gradient is None or np.isfinite(np.asarray(gradient)).all()


def test_being_right_costs_less_than_guessing():
    right = detection_loss(perfect(), CENTRES, STRIDES, BOX, CAR)
    guess = detection_loss(said(), CENTRES, STRIDES, BOX, CAR)

    assert right.boxes / right.weight < 0.1 * guess.boxes / guess.weight


def test_the_loss_of_a_batch_is_the_sum_over_its_images():
    both = said(images=2)
    boxes, cars = np.repeat(BOX, 2, axis=0), np.repeat(CAR, 2, axis=0)
    whole = detection_loss(both, CENTRES, STRIDES, boxes, cars)
    parts = [
        detection_loss({k: v[i : i + 1] for k, v in both.items()}, CENTRES, STRIDES, BOX, CAR)
        for i in range(2)
    ]

    assert np.allclose(whole, np.sum(parts, axis=0), rtol=1e-4)


def test_a_box_on_itself_overlaps_completely():
    assert float(ciou(BOX[0], BOX[0])[0]) == pytest.approx(1.0, abs=1e-5)


def test_farther_away_is_worse_also_without_overlap():
    near, far = (float(ciou(BOX[0] + shift, BOX[0])[0]) for shift in (50, 90))

    assert far < near < 0
