import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.shared.vision.weather import add_glow, grain, night, rain

PICTURES = st.tuples(st.integers(1, 50), st.integers(1, 70), st.just(3)).flatmap(
    lambda shape: arrays(np.uint8, shape)
)
WEATHERS = pytest.mark.parametrize("weather", [night, rain], ids=["night", "rain"])


def scene():
    rows = np.linspace(40, 200, 240).astype(np.uint8)
    return np.repeat(np.repeat(rows[:, None, None], 320, axis=1), 3, axis=2)


@WEATHERS
@given(picture=PICTURES)
@settings(max_examples=20, deadline=None)
def test_any_picture_stays_a_picture_of_its_size(weather, picture):
    changed = weather(picture, np.random.default_rng(0))

    assert changed.shape == picture.shape
    assert changed.dtype == np.uint8


@WEATHERS
def test_the_picture_given_is_left_alone(weather):
    picture = scene()
    weather(picture, np.random.default_rng(0))

    assert (picture == scene()).all()


@WEATHERS
def test_the_same_seed_is_the_same_weather(weather):
    first, second = (weather(scene(), np.random.default_rng(3)) for _ in range(2))

    assert (first == second).all()


def test_night_is_dark_and_blue():
    red, _, blue = night(scene(), np.random.default_rng(0)).mean(axis=(0, 1))

    assert blue > red
    assert blue < scene().mean() / 2


def test_a_light_stays_a_light_at_night():
    picture = scene() // 3
    picture[100:104, 100:104] = 255
    after = night(picture, np.random.default_rng(0)).mean(axis=2)

    assert after[101:103, 101:103].mean() > 4 * np.median(after)


def test_rain_takes_contrast():
    assert rain(scene(), np.random.default_rng(0)).std() < scene().std()


def test_a_halo_only_adds():
    lights = np.zeros((48, 64, 3), np.float32)
    lights[20:24, 30:34] = 255

    assert (add_glow(np.zeros_like(lights), lights) >= 0).all()


@pytest.mark.parametrize("shape", [(480, 640, 3), (1200, 1600, 3)])
def test_noise_has_the_spread_asked_for(shape):
    noise = grain(shape, 5.0, np.random.default_rng(0))

    assert noise.shape == shape
    assert abs(float(noise.std()) - 5.0) < 0.2
