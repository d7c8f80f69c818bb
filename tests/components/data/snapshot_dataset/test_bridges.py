import numpy as np
import pytest

from components.data.snapshot_dataset.bridges import bridges

ZERO = np.zeros(32, np.uint8)


def differing(bits):
    return np.packbits(np.arange(256) < bits)


@pytest.mark.parametrize(
    ("first", "second", "leaving"),
    [
        ("train", "test", ["a"]),
        ("test", "train", ["b"]),
        ("train", "validation", ["a"]),
        ("validation", "test", ["a"]),
        ("train", "train", []),
        ("test", "test", []),
    ],
)
def test_of_two_alike_the_less_guarded_leaves(first, second, leaving):
    hashes = {"a": ZERO, "b": differing(2)}

    assert bridges({"a": first, "b": second}, hashes) == leaving


def test_the_same_hash_in_two_splits_is_a_bridge():
    assert bridges({"a": "train", "b": "test"}, {"a": ZERO, "b": ZERO}) == ["a"]


def test_pictures_that_differ_stay():
    assert bridges({"a": "train", "b": "test"}, {"a": ZERO, "b": differing(5)}) == []


def test_an_image_without_a_hash_stays():
    assert bridges({"a": "train", "b": "test"}, {"a": ZERO}) == []


def test_all_that_look_like_a_test_image_leave():
    splits = {"a": "train", "b": "train", "c": "test", "d": "validation"}

    assert bridges(splits, dict.fromkeys(splits, ZERO)) == ["a", "b", "d"]


def test_no_images_have_no_bridges():
    assert bridges({}, {}) == []
