import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.shared.contracts.model import Postprocessing
from components.shared.vision.suppression import suppress

corners = arrays(np.int64, st.tuples(st.integers(0, 30), st.just(4)), elements=st.integers(0, 40))


@st.composite
def scenes(draw):
    """Boxes and scores with many ties: scores are tenths."""
    raw = draw(corners)
    boxes = np.concatenate(
        [np.minimum(raw[:, :2], raw[:, 2:]), np.maximum(raw[:, :2], raw[:, 2:])], 1
    )
    tenths = draw(arrays(np.int64, (len(raw), 2), elements=st.integers(0, 10)))
    return boxes.astype(np.float32), tenths.astype(np.float32) / 10


def iou(first, second):
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return shared / (area - shared) if area > shared else 0.0


def greedily(boxes, scores, rule):
    """The same rule in plain Python."""
    pairs = [(-score, c, a) for a, row in enumerate(scores) for c, score in enumerate(row)]
    candidates = sorted(p for p in pairs if -p[0] >= rule.score_threshold)[: rule.candidates]
    kept = []
    for _, c, a in candidates:
        if all(c != d or iou(boxes[a], boxes[b]) <= rule.iou_threshold for d, b in kept):
            kept.append((c, a))
    return kept[: rule.max_boxes]


@settings(deadline=None, max_examples=60)
@given(scenes(), st.integers(1, 20), st.integers(1, 8))
def test_it_keeps_what_the_plain_greedy_rule_keeps(scene, candidates, max_boxes):
    boxes, scores = scene
    # 0.55 is no fraction of small whole numbers, so that rounding cannot decide.
    rule = Postprocessing(
        score_threshold=0.35, iou_threshold=0.5501, candidates=candidates, max_boxes=max_boxes
    )
    expected = greedily(boxes, scores, rule)

    found, values, classes = suppress(boxes, scores, rule)

    assert classes.tolist() == [c for c, _ in expected]
    assert found.tolist() == [boxes[a].tolist() for _, a in expected]
    assert values.tolist() == [scores[a, c] for c, a in expected]


def test_two_classes_may_share_one_place():
    boxes = np.array([[0, 0, 10, 10]])

    classes = suppress(boxes, np.array([[0.8, 0.9]]), Postprocessing())[2]

    assert classes.tolist() == [1, 0]


@pytest.mark.parametrize("anchors", [0, 5])
def test_nothing_sure_enough_is_an_empty_answer(anchors: int):
    boxes, scores, classes = suppress(
        np.zeros((anchors, 4)), np.full((anchors, 3), 0.1), Postprocessing()
    )

    assert boxes.shape == (0, 4)
    assert scores.shape == classes.shape == (0,)
