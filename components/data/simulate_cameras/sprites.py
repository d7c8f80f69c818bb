"""Draw sprites of objects without flat faces: trees, bushes, people, bicycles."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Kind = str
LEAVES = ((74, 98, 48), (60, 88, 46), (92, 104, 52), (118, 98, 48))
CLOTHES = ((44, 52, 76), (140, 44, 40), (196, 192, 184), (52, 52, 54), (190, 150, 50), (60, 96, 78))
TROUSERS = ((38, 42, 58), (66, 58, 50), (28, 28, 32))
SKIN = ((224, 182, 150), (152, 104, 76), (98, 66, 50))


@cache
def tree(number: int) -> Image.Image:
    """Return a tree of 300x420 pixels, RGBA, its trunk's foot at the bottom centre."""
    rng = np.random.default_rng([7, number])
    image = Image.new("RGBA", (300, 420))
    draw = ImageDraw.Draw(image)
    draw.polygon([(138, 420), (143, 230), (157, 230), (164, 420)], fill=(84, 68, 54, 255))
    draw.polygon([(152, 420), (151, 230), (157, 230), (164, 420)], fill=(62, 50, 42, 255))
    _leaves(draw, rng, (150, 160), (118, 132), 640, LEAVES[number % len(LEAVES)])
    return image.filter(ImageFilter.GaussianBlur(0.8))


@cache
def bush(number: int) -> Image.Image:
    """Return a bush of 300x180 pixels, RGBA, standing on the lower edge."""
    rng = np.random.default_rng([8, number])
    image = Image.new("RGBA", (300, 180))
    _leaves(ImageDraw.Draw(image), rng, (150, 104), (122, 62), 300, LEAVES[number % 3])
    return image.filter(ImageFilter.GaussianBlur(0.8))


def _leaves(
    draw: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    middle: tuple[int, int],
    reach: tuple[int, int],
    count: int,
    colour: tuple[int, int, int],
) -> None:
    """Heap up tufts, the dark ones at the bottom first and the light ones on top."""
    x, y = middle
    wide, high = 0.8 * reach[0], 0.8 * reach[1]
    draw.ellipse((x - wide, y - high, x + wide, y + high), fill=_darker(colour, 0.75))
    angle, radius = rng.uniform(0, 2 * np.pi, count), rng.uniform(0, 1, count) ** 0.55
    lumpy = 1 + 0.14 * np.sin(3 * angle + rng.uniform(0, 6)) + 0.08 * np.sin(7 * angle)
    xs = middle[0] + reach[0] * radius * lumpy * np.cos(angle)
    ys = middle[1] + reach[1] * radius * lumpy * np.sin(angle)
    height = (middle[1] - ys) / reach[1] + 0.25 * (middle[0] - xs) / reach[0]
    order = np.argsort(height * 0.5 + rng.random(count))
    for x, y, up in zip(xs[order], ys[order], height[order], strict=True):
        size = rng.uniform(5, 14)
        bright = 0.82 + 0.34 * up + rng.uniform(-0.12, 0.12)
        fill = tuple(int(np.clip(value * bright, 0, 255)) for value in colour)
        draw.ellipse((x - size, y - size * 0.8, x + size, y + size * 0.8), fill=(*fill, 255))


@cache
def person(number: int) -> Image.Image:
    """Return a walker of 80x200 pixels, RGBA, feet on the lower edge."""
    rng = np.random.default_rng([9, number])
    coat, legs, skin = (_pick(rng, colours) for colours in (CLOTHES, TROUSERS, SKIN))
    image = Image.new("RGBA", (80, 200))
    draw = ImageDraw.Draw(image)
    stride = int(rng.integers(4, 18))
    for foot, shade in ((-stride, 0.8), (stride, 1.0)):
        fill = _darker(legs, shade)
        draw.line([(40, 110), (40 + foot // 2, 150), (40 + foot, 194)], fill=fill, width=15)
        draw.ellipse((30 + foot, 188, 52 + foot, 200), fill=(22, 22, 24, 255))
    draw.rounded_rectangle((24, 40, 56, 120), 12, fill=_darker(coat, 1.0))
    draw.rounded_rectangle((44, 42, 57, 118), 8, fill=_darker(coat, 0.78))
    draw.line([(27, 52), (20, 84), (26, 108)], fill=_darker(coat, 0.9), width=10)
    draw.ellipse((29, 6, 52, 38), fill=(*skin, 255))
    draw.pieslice((27, 3, 53, 36), 180, 360, fill=_darker(_pick(rng, TROUSERS), 0.9))
    return image


@cache
def bicycle(number: int) -> Image.Image:
    """Return a bicycle of 180x110 pixels, RGBA, or one with a rider, 180x190."""
    rng = np.random.default_rng([10, number])
    ridden = number % 2 == 1
    top = 80 if ridden else 0
    image = Image.new("RGBA", (180, 110 + top))
    draw = ImageDraw.Draw(image)
    frame = _darker(_pick(rng, CLOTHES), 1.0)
    for x in (34, 146):
        draw.ellipse((x - 32, top + 44, x + 32, top + 108), outline=(24, 24, 26, 255), width=5)
    joints = [
        (34, 76),
        (66, 34),
        (126, 34),
        (146, 76),
        (126, 34),
        (84, 78),
        (66, 34),
        (34, 76),
        (84, 78),
    ]
    draw.line([(x, y + top) for x, y in joints], fill=frame, width=6)
    draw.line([(126, top + 34), (122, top + 16), (136, top + 14)], fill=(30, 30, 32, 255), width=5)
    if ridden:
        _rider(draw, rng)
    return image


def _rider(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    coat, legs, skin = (_pick(rng, colours) for colours in (CLOTHES, TROUSERS, SKIN))
    draw.line([(66, 104), (96, 124), (86, 160)], fill=_darker(legs, 1.0), width=14)
    draw.line([(66, 100), (92, 52)], fill=_darker(coat, 1.0), width=28)
    draw.line([(92, 58), (126, 92)], fill=_darker(coat, 0.85), width=10)
    draw.ellipse((86, 10, 114, 44), fill=(*skin, 255))
    draw.pieslice((84, 6, 116, 42), 180, 360, fill=_darker(_pick(rng, CLOTHES), 0.9))


def _pick(
    rng: np.random.Generator, colours: tuple[tuple[int, int, int], ...]
) -> tuple[int, int, int]:
    return colours[int(rng.integers(len(colours)))]


def _darker(colour: tuple[int, int, int], share: float) -> tuple[int, int, int, int]:
    red, green, blue = (int(value * share) for value in colour)
    return red, green, blue, 255
