"""Every object is answered for by anchors that see it, and no anchor answers twice."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.shared.network.assign import (
    CANDIDATES,
    assign,
    best_of_each,
    is_inside,
    pairwise_iou,
)
from components.shared.network.decode import anchor_points
from tests.support.reference_arithmetic import answers

CENTRES, STRIDES = anchor_points(64, 64)


@st.composite
def objects(draw, most=4):
    count = draw(st.integers(0, most))
    corner = st.floats(0, 50, width=32)
    side = st.floats(2, 14, width=32)
    rows = [[draw(corner), draw(corner), draw(side), draw(side)] for _ in range(count)]
    boxes = np.array(rows, np.float32).reshape(1, -1, 4)
    boxes[..., 2:] += boxes[..., :2]
    return boxes


def targets_of(true_boxes, scores=0.5):
    anchors = len(STRIDES)
    half = STRIDES[:, None]
    boxes = np.concatenate([CENTRES - half, CENTRES + half], axis=1)[None]
    empty = np.zeros((1, 1, 4), np.float32)
    classes = np.zeros((1, true_boxes.shape[1] + 1), np.int32)
    classes[:, -1] = -1
    return assign(
        tf.fill((1, anchors, 1), scores),
        boxes,
        CENTRES,
        STRIDES,
        np.concatenate([true_boxes, empty], axis=1),
        classes,
    )


@st.composite
def scenes(draw):
    """Return scores, boxes, true boxes and true classes: guesses near objects and far off."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    images, classes, places = 2, draw(st.integers(1, 3)), draw(st.integers(0, 6))
    low = rng.uniform(-8, 48, (images, places, 2))
    true_boxes = np.concatenate([low, low + rng.uniform(1, 40, low.shape)], axis=-1)
    guesses = np.concatenate([CENTRES - STRIDES[:, None], CENTRES + STRIDES[:, None]], axis=1)
    boxes = guesses + rng.normal(0, 4, (images, *guesses.shape))
    sure = rng.uniform(0, 1, (images, len(STRIDES), classes)) ** draw(st.sampled_from([1, 8]))
    floats = [part.astype(np.float32) for part in (sure, boxes, true_boxes)]
    return *floats, rng.integers(-1, classes, (images, places), dtype=np.int32)


@settings(max_examples=40, deadline=None)
@given(scenes())
def test_all_at_once_is_the_same_as_one_by_one(scene):
    scores, boxes, true_boxes, true_classes = scene
    padding = [(0, 0), (0, 1)]  # an empty place keeps reductions over no objects defined
    fast = assign(
        scores, boxes, CENTRES, STRIDES,
        np.pad(true_boxes, [*padding, (0, 0)]), np.pad(true_classes, padding, constant_values=-1),
    )  # fmt: skip

    for image, (places, labels) in enumerate(zip(true_boxes, true_classes, strict=True)):
        there = [(b, c) for b, c in zip(places.tolist(), labels.tolist(), strict=True) if c >= 0]
        slow = answers(scores[image], boxes[image], CENTRES, STRIDES, there)
        asked = np.array([one.quality > 0 for one in slow])
        wanted = [np.array(column)[asked] for column in zip(*slow, strict=True)]
        said = [part[image].numpy()[asked] for part in fast]
        assert all(np.allclose(*pair, rtol=1e-3) for pair in zip(said, wanted, strict=True))
        assert not fast.quality[image].numpy()[~asked].any()


@settings(max_examples=20, deadline=None)
@given(objects())
def test_every_object_has_an_anchor_inside_it_however_small(boxes):
    inside = is_inside(CENTRES, STRIDES, boxes).numpy()

    assert inside.any(axis=2).all()


@settings(max_examples=20, deadline=None)
@given(objects(most=1).filter(lambda boxes: boxes.shape[1] == 1))
def test_a_lone_object_is_answered_for_by_a_few_anchors(boxes):
    quality = targets_of(boxes).quality.numpy()

    assert 1 <= (quality > 0).sum() <= CANDIDATES


@settings(max_examples=20, deadline=None)
@given(objects())
def test_quality_is_never_above_the_best_overlap(boxes):
    quality = targets_of(boxes).quality.numpy()

    assert quality.min() >= 0
    assert quality.max() <= 1


def test_an_image_without_objects_is_all_background():
    assert not targets_of(np.zeros((1, 0, 4), np.float32)).quality.numpy().any()


def test_of_two_objects_in_the_same_place_the_first_is_answered_for():
    box = np.array([[[4.0, 4.0, 20.0, 20.0]] * 2], np.float32)
    once, twice = targets_of(box[:, :1]), targets_of(box)

    assert np.array_equal(once.quality, twice.quality)


def test_anchors_that_agree_equally_well_are_all_chosen():
    same = tf.constant([[[0.5] * (CANDIDATES + 3) + [0.1] * 5]])

    assert int(tf.math.count_nonzero(best_of_each(same))) == CANDIDATES + 3


def test_an_object_that_nothing_overlaps_yet_is_no_anchors_to_answer_for():
    far = np.array([[[52.0, 52.0, 53.0, 53.0]]], np.float32)
    anchors = np.zeros((1, len(STRIDES), 4), np.float32)  # every box is empty
    scores = np.full((1, len(STRIDES), 1), 0.5, np.float32)

    assert (
        not assign(scores, anchors, CENTRES, STRIDES, far, np.zeros((1, 1), int))
        .quality.numpy()
        .any()
    )


@pytest.mark.parametrize("score", [1e-6, 0.01, 1.0])
def test_the_best_anchor_of_an_object_is_asked_for_its_overlap_however_unsure_it_is(score):
    box = np.array([[[4.0, 4.0, 20.0, 20.0]]], np.float32)  # what anchor (1, 1) of stride 8 says

    assert targets_of(box, score).quality.numpy().max() == pytest.approx(1.0)


def test_overlap_does_not_depend_on_the_order():
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 40, (2, 1, 5, 2))
    first, second = np.concatenate([low, low + rng.uniform(1, 30, low.shape)], axis=-1)

    there, back = pairwise_iou(first, second).numpy(), pairwise_iou(second, first).numpy()

    assert np.allclose(there, back.transpose(0, 2, 1))
