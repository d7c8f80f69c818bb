import numpy as np
import pytest

from components.contracts.refusal import Refusal
from components.export_onnx.parity import compare


def answer(moved=0.0, rescored=0.0):
    boxes = np.full((2, 3, 4), 10, np.float32)
    scores = np.full((2, 3, 1), 0.5, np.float32)
    boxes[1, 2, 0] += moved
    scores[0, 1, 0] += rescored
    return boxes, scores, np.ones((2, 8), np.float32)


def test_equal_answers_are_at_parity():
    parity = compare(answer(), answer())
    parity.check()

    assert parity.sentence == "parity on 2 images: boxes 0 px, scores 0"


@pytest.mark.parametrize("changes", [{"moved": 0.06}, {"rescored": 2e-4}, {"moved": np.nan}])
def test_one_anchor_that_differs_is_enough_to_refuse(changes):
    with pytest.raises(Refusal, match="answers otherwise than the trained network"):
        compare(answer(), answer(**changes)).check()


def test_answers_of_another_shape_are_refused():
    boxes, scores, embedding = answer()

    with pytest.raises(Refusal, match="boxes inf px"):
        compare(answer(), (boxes[:, :2], scores, embedding)).check()


def test_the_page_shows_what_differs_and_what_may():
    page = compare(answer(), answer(moved=0.03)).page

    assert "| boxes | 0.03 px | 0.05 px |" in page
