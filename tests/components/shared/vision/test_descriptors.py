import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from components.shared.contracts.annotation import ScoredBox
from components.shared.vision.descriptors import DESCRIPTORS, describe

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))


def box(score=0.9, side=10.0):
    return ScoredBox(x_min=0, y_min=0, x_max=side, y_max=side, label="car", score=score)


def flat(red, green, blue, shape=(60, 80)):
    return np.full((*shape, 3), (red, green, blue), np.uint8)


def scene(seed=0):
    small = np.random.default_rng(seed).integers(40, 200, (30, 40, 3))
    return small.repeat(16, axis=0).repeat(16, axis=1).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.uint8, SHAPES), st.lists(st.floats(0, 1), max_size=3))
def test_any_picture_has_every_number_and_all_are_finite(image, scores):
    described = describe(image, [box(score) for score in scores])

    assert tuple(described) == DESCRIPTORS
    assert all(math.isfinite(value) for value in described.values())


@pytest.mark.parametrize("shape", [(48, 64), (480, 640), (1080, 1920)])
def test_a_flat_picture_reads_the_same_at_any_size(shape):
    expected = describe(flat(200, 100, 50), ())

    assert describe(flat(200, 100, 50, shape), ()) == pytest.approx(expected, abs=1e-4)


def test_night_is_darker_than_day():
    day, night = describe(scene(), ()), describe(scene() // 5, ())

    assert night["brightness"] < day["brightness"]
    assert night["dark_share"] > day["dark_share"]


def test_blue_light_is_cold_and_grey_is_neutral():
    assert describe(flat(50, 50, 200), ())["warmth"] < 0
    assert describe(flat(90, 90, 90), ())["warmth"] == 0
    assert describe(flat(90, 90, 90), ())["saturation"] == 0


def test_a_blurred_picture_is_less_sharp():
    image = scene()
    blurred = (image.astype(int) + np.roll(image, 1, 0) + np.roll(image, 1, 1)) // 3

    sharp, soft = (describe(picture, ())["sharpness"] for picture in (image, blurred))
    assert soft < sharp


@pytest.mark.parametrize("deviation", [2.0, 8.0])
def test_noise_is_measured_in_grey_levels(deviation):
    grain = np.random.default_rng(0).normal(0, deviation, (480, 640, 1))
    image = np.clip(128 + grain, 0, 255).astype(np.uint8).repeat(3, axis=2)

    assert describe(image, ())["noise"] == pytest.approx(deviation, rel=0.05)


def test_detections_are_counted_rated_and_measured():
    described = describe(flat(9, 9, 9, (100, 100)), [box(0.9, 10), box(0.3, 10), box(0.6, 50)])

    assert described["boxes"] == 3
    assert described["mean_score"] == pytest.approx(0.6)
    assert described["low_score_share"] == pytest.approx(1 / 3)
    assert described["box_size"] == pytest.approx(0.1)


def test_a_picture_without_boxes_has_zero_for_all_of_them():
    described = describe(scene(), ())

    assert [described[name] for name in DESCRIPTORS[-4:]] == [0, 0, 0, 0]
