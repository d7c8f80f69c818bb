"""Every object is answered for by anchors that see it, and no anchor answers twice."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.detector.assign import CANDIDATES, assign, is_inside, pairwise_iou
from components.detector.decode import anchor_points

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


def test_the_best_anchor_of_an_object_is_asked_for_its_overlap():
    box = np.array([[[4.0, 4.0, 20.0, 20.0]]], np.float32)  # what anchor (1, 1) of stride 8 says

    assert targets_of(box).quality.numpy().max() == pytest.approx(1.0)


def test_overlap_does_not_depend_on_the_order():
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 40, (2, 1, 5, 2))
    first, second = np.concatenate([low, low + rng.uniform(1, 30, low.shape)], axis=-1)

    there, back = pairwise_iou(first, second).numpy(), pairwise_iou(second, first).numpy()

    assert np.allclose(there, back.transpose(0, 2, 1))
