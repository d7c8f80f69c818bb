import numpy as np
import pytest

from components.shared.contracts.errors import UserError
from components.shared.inference.picture import Raw
from components.shared.vision.precision import GroundTruth
from components.training.export_onnx.parity import compare
from components.training.export_onnx.pictures import Look

BOX = np.array([[10.0, 10, 20, 20]])
LOOKS = [Look(np.zeros((32, 32, 3), np.uint8), GroundTruth(BOX, np.zeros(1, int)))] * 4


def network(moved=0.0, rescored=0.0, anchors=3):
    """A network that sees one box where it is, moved for one anchor of the last look."""

    def answer(inputs):
        boxes = np.tile(BOX.astype(np.float32), (len(inputs), anchors, 1))
        scores = np.full((len(inputs), anchors, 1), 0.5, np.float32)
        boxes[-1, -1, 0] += moved
        scores[0, -1, 0] += rescored
        return Raw(boxes, scores, np.ones((len(inputs), 8), np.float32))

    return answer


def test_equal_answers_are_at_parity():
    parity = compare(network(), network(), [LOOKS, LOOKS])
    parity.check()

    assert parity.sentence == (
        "the ONNX graph matches the trained network on 2 images (8 crops): "
        "boxes within 0 px, scores within 0, mAP50-95 1.00000 in both"
    )
    assert parity.trained == parity.exported == 1


@pytest.mark.parametrize("changes", [{"moved": 0.06}, {"rescored": 2e-4}, {"moved": np.nan}])
def test_one_anchor_that_differs_is_enough_to_refuse(changes):
    with pytest.raises(UserError, match="differs from the trained network"):
        compare(network(), network(**changes), [LOOKS]).check()


def test_a_few_boxes_worth_of_precision_is_enough_to_refuse():
    parity = compare(network(), network(), [LOOKS])
    worse = type(parity)(**{f: getattr(parity, f) for f in parity.__slots__} | {"exported": 0.97})

    with pytest.raises(UserError, match=r"mAP50-95 by 0.03; expected at most .* and 0.025"):
        worse.check()


def test_answers_of_another_shape_are_refused():
    with pytest.raises(UserError, match=r"boxes .* shape \[4, 2, 4\], expected \[4, 3, 4\]"):
        compare(network(), network(anchors=2), [LOOKS])


def test_the_page_shows_what_differs_and_what_may():
    page = compare(network(), network(moved=0.03), [LOOKS]).page

    assert "| boxes | 0.03 px | 0.05 px |" in page
    assert "| mAP50-95 after suppression | 0 | 0.025 |" in page
    assert "on 1 image (4 crops), each cropped to 4:3, 16:9, 1:1, 9:16. All anchors count." in page
