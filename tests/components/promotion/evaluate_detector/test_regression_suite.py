import pytest

from components.promotion.evaluate_detector.regression_suite import grown, kept, valid
from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.report import HardCase
from tests.support.snapshot_images import image

PLACE = {"x_min": 10, "y_min": 10, "x_max": 50, "y_max": 50}
CAR = Box(**PLACE, label="car")
OBJECT, NOTHING = (HardCase(sha256="1".zfill(64), kind=k, box=CAR) for k in ("object", "nothing"))


def said(label="car", moved=0):
    return ScoredBox(**{**PLACE, "x_min": 10 + moved, "x_max": 50 + moved}, label=label, score=0.6)


@pytest.mark.parametrize(
    ("answer", "found"),
    [([said()], True), ([said(moved=5)], True), ([said(moved=30)], False), ([said("bus")], False),
     ([], False)],
    ids=["there", "nearly", "elsewhere", "another class", "none"],
)  # fmt: skip
def test_an_object_must_be_found_and_nothing_must_not(answer, found):
    assert kept(OBJECT, answer) == found
    assert kept(NOTHING, answer) != found


@pytest.mark.parametrize(
    ("images", "asked"),
    [([image(1, CAR)], [OBJECT]), ([image(1)], [NOTHING]), ([image(2, CAR)], [])],
    ids=["the truth says so", "people say otherwise now", "the image was erased"],
)
def test_a_case_is_asked_while_the_truth_says_so(images, asked):
    assert valid([OBJECT, NOTHING], images) == asked


def test_a_suite_grows_by_what_is_new_and_is_the_same_in_any_order():
    assert grown([OBJECT], [NOTHING, OBJECT]) == grown([NOTHING], [OBJECT])
    assert len(grown([OBJECT], [OBJECT])) == 1
