"""Simulate night and rain on images; inputs are not changed."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]

NIGHT_GAIN = (0.25, 0.29, 0.40)  # what is left of red, green and blue
GRAIN_SIDE = 1024


def night(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an image as at night: dark, blue and noisy, with glowing lights.

    Args:
        image: `[H, W, 3]`, RGB.
        rng: Decides how dark and how noisy.
    """
    levels = image.astype(np.float32)
    exposure = np.float32(rng.uniform(0.8, 1.15))
    gain = np.array(NIGHT_GAIN, np.float32) * exposure
    lights = levels * _lamplike(image)
    dark = levels * (0.45 + 0.55 * levels / 255) * gain
    return as_pixels(_vignette(add_glow(dark + lights, lights)) + grain(levels.shape, 7.0, rng))


def rain(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an image as in rain: greyer, softer, with streaks and a wet ground.

    Args:
        image: `[H, W, 3]`, RGB.
        rng: Decides how hard it rains, and where each drop falls.
    """
    height, width, _ = image.shape
    soft = Image.fromarray(image).filter(ImageFilter.BoxBlur(0.0011 * width))
    levels = _mirrored(np.asarray(soft, np.float32))
    veil = levels.mean() * 0.8 + 6.0
    levels = veil + (levels - veil) * np.float32(rng.uniform(0.68, 0.8))
    fall = _streaks(height, width, rng)[..., None]
    return as_pixels(levels + fall * (22 + 0.35 * levels.mean()))


def grain(shape: tuple[int, ...], spread: float, rng: np.random.Generator) -> Levels:
    """Return sensor noise, `[H, W, 3]`, with a standard deviation in grey levels.

    Args:
        shape: `H, W, 3`.
        spread: Standard deviation in grey levels.
        rng: Random numbers.
    """
    down, right = (int(rng.integers(GRAIN_SIDE // 4)) for _ in range(2))
    tile = _grain()
    times = [
        -(-(start + size) // GRAIN_SIDE) for start, size in ((down, shape[0]), (right, shape[1]))
    ]
    if max(times) > 1:
        tile = np.tile(tile, (*times, 1))
    return tile[down : down + shape[0], right : right + shape[1]] * np.float32(spread)


def add_glow(levels: Levels, lights: Levels) -> Levels:
    """Return an image with a halo around its lights.

    Args:
        levels: `[H, W, 3]`, 0 to 255.
        lights: `[H, W, 3]`, only what shines.
    """
    height, width, _ = levels.shape
    source = Image.fromarray(as_pixels(lights))
    result = levels
    for shrink, radius, strength in ((2, 2, 0.9), (8, 3, 1.6)):
        halo = source.reduce(shrink).filter(ImageFilter.GaussianBlur(radius))
        wide = halo.resize((width, height), Image.Resampling.BILINEAR)
        result = result + np.asarray(wide, np.float32) * np.float32(strength)
    return result


def as_pixels(levels: NDArray[np.floating]) -> Pixels:
    """Return levels clipped to 0 to 255 as bytes."""
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


@cache
def _grain() -> Levels:
    noise = np.random.default_rng(0).standard_normal((GRAIN_SIDE, GRAIN_SIDE, 3), np.float32)
    # neighbours share some noise, as after a camera's own demosaicing
    shared = np.roll(noise, 1, 0) + np.roll(noise, 1, 1)
    return np.asarray((noise + 0.5 * shared) / 1.22, np.float32)


def _lamplike(image: Pixels) -> Levels:
    """Return `[H, W, 1]`, 0 to 0.75: what is bright and small, as a lamp is and no sky."""
    height, width, _ = image.shape
    grey = Image.fromarray(image).convert("L")
    around = grey.reduce(max(min(height, width) // 16, 1)).resize((width, height))
    bright, near = (np.asarray(picture, np.float32) for picture in (grey, around))
    share = np.clip((bright - 205) / 50, 0, 1) * np.clip((bright - near - 40) / 60, 0, 0.75)
    return np.asarray(share[..., None], np.float32)


def _mirrored(levels: Levels) -> Levels:
    """Reflect each part in the one below it, as a wet ground does, blurred downwards."""
    height, width, _ = levels.shape
    stretch = max(height // 16, 1)
    small = Image.fromarray(as_pixels(levels)).reduce((1, stretch))
    smear = np.asarray(small.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    smear = np.roll(smear, stretch, axis=0)
    wet = np.clip((np.arange(height, dtype=np.float32) / height - 0.25) * 2.5, 0, 1)[:, None, None]
    shining = np.maximum(smear - levels, 0) * 0.5
    return np.asarray(levels + wet * (shining + 0.22 * (smear - levels)), np.float32)


def _vignette(levels: Levels) -> Levels:
    height, width, _ = levels.shape
    down, right = (np.linspace(-1, 1, size, dtype=np.float32) ** 2 for size in (height, width))
    return np.asarray(levels * (1 - 0.16 * (down[:, None] + right))[..., None], np.float32)


def _streaks(height: int, width: int, rng: np.random.Generator) -> Levels:
    """Return `[H, W]`, 0 to 1: how much of each pixel falling drops cover."""
    sheet = Image.new("L", (width, height))
    draw = ImageDraw.Draw(sheet)
    slant = rng.uniform(-0.25, 0.25)
    count = int(rng.uniform(0.6, 1.1) * width)
    near = rng.uniform(0.35, 1, count)
    columns, rows = rng.uniform(-0.1, 1.1, count) * width, rng.uniform(-0.1, 1, count) * height
    lengths = near * height * 0.055
    for x, y, long, bright in zip(columns, rows, lengths, near, strict=True):
        draw.line((x, y, x + slant * long, y + long), fill=int(230 * bright**2))
    soft = np.asarray(sheet.filter(ImageFilter.BoxBlur(0.5)), np.float32)
    return np.asarray(soft / 255, np.float32)
