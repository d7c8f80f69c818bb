"""Boxes that lie on each other, and images that stand on two sides of a split."""

import tracemalloc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from components.data.validate_dataset.check import _duplicates
from components.data.validate_dataset.inspect_images import InspectedImage
from tests.support.draft_snapshots import box, found, jpeg


def test_the_same_place_with_two_classes_is_no_duplicate(draft):
    draft.info["classes"] = ("car", "van")
    draft.lines[0]["boxes"] = [box(), box(label="van")]

    assert found(draft) == []


def test_twelve_thousand_boxes_in_one_image_are_compared_in_little_memory():
    corners = 9.0 * np.argwhere(np.ones((120, 100)))
    boxes = np.hstack([corners, corners + 20])
    boxes[7_000] = boxes[3_000]
    many = InspectedImage(
        "0" * 64, "a.jpg", "gate", "gate", "train", (1100, 920), boxes, ("car",) * len(boxes)
    )

    tracemalloc.start()
    duplicates = list(_duplicates(many, 0.95))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert duplicates == [(7_000, 3_000)]
    assert peak < 64e6


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("ab")), max_size=12)
)
def test_blocks_find_the_duplicates_that_a_look_at_all_pairs_finds(places):
    boxes = np.array([(x, y, x + 2, y + 2) for x, y, _ in places], float).reshape(-1, 4)
    picture = InspectedImage("0" * 64, "a.jpg", "gate", "gate", "train", (9, 9), boxes,
                      tuple(label for *_, label in places))  # fmt: skip
    expected = [
        (second, places.index(place))
        for second, place in enumerate(places)
        if places.index(place) < second
    ]

    assert sorted(_duplicates(picture, 0.95)) == expected


def test_a_group_on_two_sides_is_a_leak(draft):
    draft.lines[0]["group"] = draft.lines[-1]["group"]
    (finding,) = found(draft)

    assert finding.reason == "leak_between_splits"
    assert finding.detail == "group 'test 7' is in test and train"


def test_a_group_that_its_owner_put_on_two_sides_is_only_noted(draft):
    draft.lines[0]["group"] = draft.lines[-1]["group"]
    draft.info["shared_groups"] = {"test 7": "owner"}

    assert [finding.reason for finding in found(draft)] == ["shared_group"]


def test_a_picture_saved_again_on_another_side_is_a_leak(draft):
    draft.contents[7] = jpeg(0, quality=88)
    (finding,) = found(draft)

    assert finding.reason == "leak_between_splits"
    assert finding.detail == "0.jpg in train looks like 7.jpg in test"


def test_one_image_in_two_splits_is_a_leak(draft):
    draft.contents[0] = draft.contents[7]

    assert "leak_between_splits" in {finding.reason for finding in found(draft)}
