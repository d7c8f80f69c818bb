import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.monitoring.detect_drift.camera_bootstrap import (
    CameraBootstrap,
    critical_distance,
    distance,
)

SAMPLES = arrays(float, st.integers(1, 40), elements=st.integers(-5, 5).map(float))


@given(first=SAMPLES, second=SAMPLES)
def test_a_distance_is_symmetric_and_a_share(first, second):
    far = distance(first, second)

    assert 0 <= far <= 1
    assert far == pytest.approx(distance(second, first))


@given(sample=SAMPLES, seed=st.integers(0, 9))
def test_a_sample_has_no_distance_from_itself_in_any_order(sample, seed):
    assert distance(sample, np.random.default_rng(seed).permutation(sample)) == 0


@given(first=SAMPLES, second=SAMPLES)
def test_a_distance_depends_on_the_order_of_the_values_alone(first, second):
    assert distance(np.exp(first), np.exp(second)) == pytest.approx(distance(first, second))


def test_samples_that_do_not_touch_are_one_apart():
    assert distance(np.array([1.0, 2.0]), np.array([3.0])) == 1


def test_independent_samples_pass_the_critical_distance_as_rarely_as_is_said():
    random = np.random.default_rng(0)
    draws = [distance(random.random(80), random.random(50)) for _ in range(1000)]

    assert np.mean(np.array(draws) > critical_distance(80, 50, 0.05)) <= 0.05


def test_the_same_seed_draws_the_same_worlds():
    values = np.random.default_rng(1).random(40)
    reached = {
        CameraBootstrap(["a", "b"] * 20, ["a"] * 30, draws=100).reaches(values, 0.01)
        for _ in range(2)
    }

    assert len(reached) == 1


def test_cameras_that_are_unlike_let_chance_reach_farther():
    values = np.random.default_rng(2).normal(size=60)
    cameras = np.repeat(["a", "b", "c", "d", "e", "f"], 10)
    chance = CameraBootstrap(cameras, cameras, draws=200)

    unlike = values + np.repeat(np.arange(6) * 5.0, 10)

    assert chance.reaches(unlike, 0.01) > chance.reaches(values, 0.01) + 0.1


def test_a_number_that_never_changes_reaches_nothing():
    chance = CameraBootstrap(["a", "b"] * 20, ["a", "b"] * 20, draws=50)

    assert chance.reaches(np.ones(40), 0.01) == pytest.approx(0)
