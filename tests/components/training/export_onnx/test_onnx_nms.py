"""Suppression in a graph leaves what `vision.suppression` leaves, whatever comes in."""

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from components.shared.contracts.model import (
    FOUND_BOXES,
    FOUND_CLASSES,
    FOUND_SCORES,
    Postprocessing,
)
from components.shared.vision.suppression import suppress
from components.training.export_onnx.onnx_nms import with_suppression

ANCHORS, CLASSES = 24, 2
RULE = Postprocessing(max_boxes=10)
# Whole pixels and few scores: overlaps and scores that tie, or stand at the threshold.
CORNER = st.integers(0, 12)
ANCHOR = st.tuples(CORNER, CORNER, CORNER, CORNER, *[st.sampled_from([0, 0.125, 0.25, 0.5])] * 2)
IMAGE = st.lists(ANCHOR, min_size=ANCHORS, max_size=ANCHORS)


@pytest.fixture(scope="module")
def session():
    """A graph whose raw boxes and scores are what is put in."""
    edges = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", ANCHORS, length])
        for name, length in (("b", 4), ("s", CLASSES), ("boxes", 4), ("scores", CLASSES))
    }
    graph = helper.make_graph(
        [helper.make_node("Identity", [a], [z]) for a, z in (("b", "boxes"), ("s", "scores"))],
        "raw", [edges["b"], edges["s"]], [edges["boxes"], edges["scores"]],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return ort.InferenceSession(with_suppression(model.SerializeToString(), RULE))


def ask(session, images):
    raw = np.array(images, np.float32).reshape(-1, ANCHORS, 4 + CLASSES)
    boxes, scores = raw[..., :4], raw[..., 4:]
    found = session.run([FOUND_BOXES, FOUND_SCORES, FOUND_CLASSES], {"b": boxes, "s": scores})
    return boxes, scores, found


@settings(max_examples=150)
@given(st.lists(IMAGE, min_size=1, max_size=3))
def test_the_same_boxes_stay_in_the_same_order(session, images):
    boxes, scores, found = ask(session, images)

    for at in range(len(boxes)):
        left = suppress(boxes[at], scores[at], RULE)
        for expected, padded in zip(left, found, strict=True):
            np.testing.assert_array_equal(padded[at][: len(expected)], expected)
        assert not found[1][at][len(left[1]) :].any()


def test_an_image_without_any_box_is_all_zero_scores(session):
    _, _, (_, scores, _) = ask(session, [[(0, 0, 4, 4, 0, 0)] * ANCHORS])

    assert scores.tolist() == [[0.0] * RULE.max_boxes]
