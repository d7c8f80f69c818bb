"""Light changes colours, and says how."""

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.train_detector.light import Light


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_light_without_saturation_leaves_the_grey_of_a_colour(colour):
    image = Image.new("RGB", (2, 2), colour)
    levels = Light(saturation=0, contrast=1, gains=(1, 1, 1)).fall(image).getpixel((0, 0))

    assert len(set(levels)) == 1
    assert abs(levels[0] - image.convert("L").getpixel((0, 0))) <= 1


def test_gains_tint_the_light():
    white = Image.new("RGB", (2, 2), (200, 200, 200))

    assert Light(1, 1, (1.1, 1.0, 0.5)).fall(white).getpixel((0, 0)) == (220, 200, 100)


def test_contrast_moves_away_from_mid_grey():
    pale = Image.new("RGB", (2, 2), (148, 148, 148))

    assert Light(1, 1.5, (1, 1, 1)).fall(pale).getpixel((0, 0)) == (158, 158, 158)
