import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.model import GoldenAnswer, PackageError
from components.shared.contracts.record import read_lines
from components.shared.inference.detector import Detector
from components.shared.inference.golden import check_golden, differs

CAR = ScoredBox(x_min=10, y_min=10, x_max=30, y_max=20, label="car", score=0.8)


def changed(**changes):
    return CAR.model_copy(update=changes)


def test_the_detector_of_a_package_answers_its_golden_pictures(tiny_package):
    package = tiny_package()

    assert check_golden(package.root, Detector.open(package.root).detect_jpeg, 0.25) == 3


def test_another_detector_does_not(tiny_package):
    other = Detector.open(tiny_package(shift=2).root)

    with pytest.raises(
        PackageError, match=r"golden/0{12}.jpg is answered differently: no car at 0"
    ):
        check_golden(tiny_package().root, other.detect_jpeg, 0.25)


@pytest.mark.parametrize("file", ["/etc/hostname", "golden/../../other.jpg", "gone.jpg"])
def test_a_golden_picture_is_a_picture_of_the_package(tiny_package, file):
    package = tiny_package()
    detector = Detector.open(package.root)
    first = read_lines(GoldenAnswer, package.golden)[0].file
    package.golden.write_text(package.golden.read_text().replace(first, file))

    with pytest.raises(PackageError, match=f"names '{file}', which is not of the package"):
        check_golden(package.root, detector.detect_jpeg, 0.25)


@given(st.permutations([changed(x_min=place, x_max=place + 20) for place in range(5)]))
def test_the_order_of_boxes_does_not_matter(boxes):
    assert differs(sorted(boxes, key=lambda box: box.x_min), boxes, 0.25) is None


@pytest.mark.parametrize(
    "other",
    [changed(x_max=30.6), changed(score=0.78), changed(label="bus")],
    ids=["moved", "rescored", "renamed"],
)
def test_a_box_that_is_another_one_differs(other):
    assert differs([CAR], [other], 0.25)


def test_a_box_at_the_threshold_may_come_and_go():
    edge = changed(score=0.255)

    assert differs([edge], [], 0.25) is None
    assert differs([], [edge], 0.25) is None
