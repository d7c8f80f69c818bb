import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.data.import_dataset.found import FoundBox, FoundImage
from components.data.import_dataset.survey import iou, survey
from components.shared.contracts.errors import UserError

edges = st.tuples(*[st.integers(0, 60)] * 4)


def images(*boxes, count=9, relative=False):
    """Images of 64 x 48 pixels, each with the same boxes."""
    return [
        FoundImage(
            name=f"{n}.jpg",
            boxes=tuple(FoundBox(f"a:{i}", box, "car", relative) for i, box in enumerate(boxes)),
        )
        for n in range(count)
    ]


def look(found):
    return survey("CSV a.csv", found, {image.name: (64, 48) for image in found})


@pytest.mark.parametrize(
    ("box", "complaint"),
    [
        ((0.1, 0.2, 0.3, 0.4), "all values of 9 boxes lie between 0 and 1, expected pixels: are"),
        ((30, 20, 10, 9), "9 of 9 boxes end left of or above where they begin, expected left, top"),
        ((10, 10, 128, 40), "9 of 9 boxes leave their images: they reach to 128, 40, and the imag"),
        ((10, 10, 10.5, 40), "9 of 9 boxes are less than a pixel wide or high"),
    ],
    ids=["fractions", "width and height", "another size", "tiny"],
)
def test_a_fault_of_all_boxes_is_one_sentence(box, complaint):
    with pytest.raises(UserError, match=f"^CSV a.csv: {complaint}"):
        look(images(box))


def test_boxes_that_are_doubled_nearly_everywhere_are_refused():
    with pytest.raises(UserError, match="18 of 18 boxes have a second box of the same class"):
        look(images((10, 10, 40, 40), (10.4, 10, 40, 40.3)))


def test_few_faults_among_many_boxes_are_no_pattern():
    good = images((10, 10, 40, 40), (20, 5, 60, 45), count=30)

    assert look([*good, *images((10, 10, 128, 40), (30, 20, 10, 9), count=2)]) == []


def test_boxes_of_one_size_are_worth_a_note():
    assert look(images((1, 2, 21, 32), count=20)) == ["all 20 boxes are 20 x 30 pixels large"]


def test_images_that_cannot_be_read_are_left_out():
    assert survey("CSV a.csv", images((10, 10, 128, 40)), {}) == []


@given(edges, edges)
def test_intersection_over_union_is_symmetric_and_one_for_equal_boxes(one, other):
    one, other = ((*b[:2], b[0] + b[2] + 1, b[1] + b[3] + 1) for b in (one, other))

    assert iou(one, other) == iou(other, one) <= 1
    assert iou(one, one) == 1
