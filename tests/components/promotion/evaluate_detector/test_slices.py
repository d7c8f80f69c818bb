from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.promotion.evaluate_detector.slices import slices_of
from tests.support.snapshot_images import box, image

sides = st.sampled_from([10.0, 40.0, 120.0])
images = st.lists(
    st.tuples(st.lists(sides, max_size=40), st.sampled_from(["north", "south"])), max_size=5
)


@given(images)
def test_every_true_box_is_in_one_slice_of_each_kind(pictures):
    frozen = [
        image(number, *(box(side=side) for side in boxes), camera=camera)
        for number, (boxes, camera) in enumerate(pictures)
    ]
    slices = slices_of(frozen, ("car",))

    total = sum(len(boxes) for boxes, _ in pictures)
    for kind in ("class", "size", "camera", "hour", "crowding"):
        assert sum(part.boxes for part in slices if part.kind == kind) == total


@pytest.mark.parametrize(
    ("boxes", "name"),
    [(1, "1 to 3"), (3, "1 to 3"), (4, "4 to 10"), (30, "11 to 30"), (31, "31 or more")],
)
def test_pictures_are_told_apart_by_how_crowded_they_are(boxes, name):
    (crowding,) = (
        part for part in slices_of([image(1, *[box()] * boxes)], ("car",))
        if part.kind == "crowding"
    )  # fmt: skip

    assert crowding.name == name


@pytest.mark.parametrize(
    ("hour", "name"), [(0, "00 to 06 h"), (6, "06 to 12 h"), (23, "18 to 24 h")]
)
def test_pictures_are_told_apart_by_the_hour(hour, name):
    taken = image(1, box()).model_copy(
        update={"captured_at": datetime(2026, 1, 1, hour, tzinfo=UTC)}
    )

    assert [part.name for part in slices_of([taken], ("car",)) if part.kind == "hour"] == [name]


def test_a_picture_without_boxes_belongs_to_its_camera_so_that_false_alarms_count():
    (camera,) = (
        part for part in slices_of([image(1, box()), image(2)], ("car",)) if part.kind == "camera"
    )

    assert camera.images == (0, 1)
