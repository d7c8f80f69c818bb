import numpy as np
import pytest

from components.shared.inference.picture import Raw
from components.training.export_onnx.int8_gate import compare_precisions
from tests.support.export_processes import SOME


def network(moved):
    """A network that finds the box of every picture, moved to the right."""

    def answer(inputs):
        boxes = np.array([[[moved, 0, 16 + moved, 16]]], np.float32)
        return Raw(boxes, np.full((1, 1, 1), 0.9, np.float32), np.zeros((1, 1), np.float32))

    return answer


@pytest.mark.parametrize(
    ("moved", "accepted"), [(0.0, True), (0.1, True), (1.0, False)], ids=["same", "near", "far"]
)
def test_eight_bits_are_accepted_only_where_they_lose_little(moved, accepted):
    comparison = compare_precisions(network(0.0), network(moved), SOME, (64, 64))

    assert comparison.accepted == accepted
    assert ("stays in float32" in comparison.sentence) != accepted


def test_eight_bits_are_not_accepted_where_nothing_is_there_to_lose():
    empty = [one._replace(boxes=one.boxes[:0], classes=one.classes[:0]) for one in SOME]

    comparison = compare_precisions(network(0.0), network(0.0), empty, (64, 64))

    assert not comparison.accepted
    assert comparison.sentence == (
        "package stays in float32: the loss of int8 is not measurable, since none of "
        "6 validation images has a box"
    )
    assert "| mAP50-95 | not measurable | not measurable |" in comparison.page


def test_eight_bits_are_not_accepted_where_float32_finds_nothing_either():
    comparison = compare_precisions(network(40.0), network(40.0), SOME, (64, 64))

    assert comparison.float32 == 0
    assert not comparison.accepted
    assert comparison.sentence == (
        "package stays in float32: the loss of int8 means nothing, since float32 has "
        "mAP50-95 0 on 6 validation images"
    )


def test_the_page_has_the_numbers_of_both():
    page = compare_precisions(network(0.0), network(1.0), SOME, (64, 64)).page

    assert "| mAP50-95 | 1.0000 | 0.8000 |" in page
    assert "int8 changes mAP50-95 by -20.00 points on 6 validation images, at most -0.5" in page
