import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.promotion.check_model.answers import check_answer, check_tensors
from components.promotion.check_model.faults import PackageRejectedError
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.model import DetectAnswer
from tests.support.faulty_packages import good

CAR = ScoredBox(x_min=1, y_min=1, x_max=9, y_max=9, label="car", score=0.9)


@pytest.fixture(scope="module")
def info(tmp_path_factory):
    return good(tmp_path_factory.mktemp("package") / "package").verify()


def tensors(**changes):
    """Two anchors, the first of them sure; and what is left of them after suppression."""
    whole = {
        "boxes": np.array([[[1, 1, 9, 9], [50, 50, 60, 60]]], np.float32),
        "scores": np.array([[[0.9], [0.1]]], np.float32),
        "embedding": np.zeros((1, 3), np.float32),
        "found_boxes": np.array([[[1, 1, 9, 9], [0, 0, 0, 0]]], np.float32),
        "found_scores": np.array([[0.9, 0]], np.float32),
        "found_classes": np.array([[0, 0]]),
    }
    return whole | changes


@pytest.mark.parametrize("suppression", ["outside", "inside"])
def test_what_a_package_promises_is_no_fault(info, suppression):
    check_tensors(tensors(), info.model_copy(update={"suppression": suppression}))


@given(st.integers(0, 1), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_number_that_is_none_is_a_fault_wherever_it_is(info, place, value):
    for name in ("boxes", "scores", "embedding"):
        broken = tensors()[name].copy()
        broken.reshape(-1)[place] = value
        with pytest.raises(PackageRejectedError, match=f"{name} contains (NaN|infinity)"):
            check_tensors(tensors(**{name: broken}), info)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"boxes": np.zeros((1, 2, 5), np.float32)}, r"boxes has the shape \[1, 2, 5\]"),
        ({"boxes": np.zeros(3, np.float32)}, r"boxes has the shape \[3\], expected \[1, 0, 4\]"),
        ({"scores": np.zeros((1, 2, 2), np.float32)}, r"expected \[1, 2, 1\]"),
        ({"embedding": np.zeros((2, 3), np.float32)}, r"embedding .*expected \[1, 3\]"),
        ({"scores": np.array([[[2], [0]]], np.float32)}, "scores run from 0 to 2"),
        ({"scores": np.array([[[-1], [0]]], np.float32)}, "scores run from -1 to 0"),
        ({"found_scores": np.array([[7, 0]], np.float32)}, "found_scores run from 0 to 7"),
        ({"found_classes": np.array([[1, 0]])}, "found_classes holds 1, expected a class"),
        ({"found_boxes": np.full((1, 2, 4), 999, np.float32)}, "lies outside the image"),
        ({"found_boxes": None}, "there is no found_boxes"),
    ],
)
def test_what_it_does_not_promise_is_a_fault_and_named(info, changes, complaint):
    said = {name: value for name, value in tensors(**changes).items() if value is not None}

    with pytest.raises(PackageRejectedError, match=complaint):
        check_tensors(said, info.model_copy(update={"suppression": "inside"}))


def test_a_box_that_nobody_would_be_told_of_may_be_anywhere(info):
    boxes = tensors()["boxes"].copy()
    boxes[0, 1] = [900, 900, -900, -900]

    check_tensors(tensors(boxes=boxes), info)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"model": "f" * 64}, "model ffffffffffff answers instead of"),
        ({"width": 65}, "says 65 x 64"),
        (
            {"boxes": [CAR.model_copy(update={"label": "bus"})]},
            "a box has the class 'bus', expected car",
        ),
        ({"boxes": [CAR] * 301}, "has 301 boxes, expected at most 300"),
        ({"boxes": [CAR.model_copy(update={"x_max": 65})]}, "a box lies outside the image"),
    ],
)
def test_an_answer_that_is_none_about_this_picture_is_a_fault(info, changes, complaint):
    whole = {"model": info.digest, "dataset": "toys", "request_id": "r", "width": 64,
             "height": 64, "boxes": [CAR], "latency_ms": 1.0}  # fmt: skip
    check_answer(DetectAnswer(**whole), info, 64, 64)

    with pytest.raises(PackageRejectedError, match=complaint):
        check_answer(DetectAnswer(**whole | changes), info, 64, 64)
