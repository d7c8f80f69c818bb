"""Light changes colours, and says how."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.shared.vision.letterbox import PADDING
from components.training.train_detector.data.color_jitter import (
    AS_TAKEN,
    ColorJitter,
    apply_color_jitter,
)

seeds = st.integers(0, 2**32 - 1)


def seen(colour, jitter):
    """Return how a colour looks in a light, levels as float."""
    image = np.array(colour, np.uint8).reshape(1, 1, 1, 3)
    return apply_color_jitter(image, np.array([jitter.numbers], np.float32)).numpy()[0, 0, 0] * 255


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_light_without_saturation_leaves_the_grey_of_a_colour(colour):
    levels = seen(colour, ColorJitter(saturation=0, contrast=1, gains=(1, 1, 1)))

    assert np.ptp(levels) < 1e-3
    assert abs(levels[0] - Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0))) <= 1


def test_gains_tint_the_light():
    levels = seen((200, 200, 200), ColorJitter(1, 1, (1.1, 1.0, 0.5)))

    assert levels == pytest.approx([220, 200, 100])


def test_contrast_moves_away_from_mid_grey():
    assert seen((148, 148, 148), ColorJitter(1, 1.5, (1, 1, 1))) == pytest.approx([158, 158, 158])


def test_no_light_is_brighter_than_white_or_darker_than_black():
    assert seen((250, 120, 0), ColorJitter(1, 3, (1, 1, 1))) == pytest.approx([255, 104, 0])


@given(seeds)
def test_each_picture_of_a_batch_has_its_own_light(seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (2, 4, 4, 3), np.uint8)
    jitters = np.array([ColorJitter.sample(rng).numbers, AS_TAKEN.numbers], np.float32)

    both = apply_color_jitter(images, jitters).numpy()

    assert np.allclose(both[1] * 255, images[1], atol=1e-3)
    assert np.allclose(
        both[0], apply_color_jitter(images[[0, 0]], jitters[[0, 0]]).numpy()[1], atol=1e-6
    )


@given(seeds)
def test_what_is_to_look_like_padding_does_in_any_light(seed):
    jitter = ColorJitter.sample(np.random.default_rng(seed))

    assert np.abs(seen(jitter.padding_color(PADDING), jitter) - PADDING).max() <= 2
