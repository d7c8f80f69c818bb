"""Post-process a painted scene to a photograph: lamps, glow, haze, sky, rain and noise."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.data.simulate_cameras.camera import HEIGHT, WIDTH, Points
from components.data.simulate_cameras.conditions import Light
from components.data.simulate_cameras.paint import FINE, Canvas
from components.data.simulate_cameras.scene import Scene
from components.data.simulate_cameras.stage import Stage
from components.shared.vision.weather import add_glow, as_pixels, grain, rain

Levels = NDArray[np.float32]

SODIUM = np.array([1.0, 0.80, 0.52])
XENON = np.array([0.96, 0.95, 0.88])
BEAM_M = 16.0  # how far headlights reach
POOL_M = 9.0  # how wide a street lamp lights the ground


def develop(
    canvas: Canvas, stage: Stage, scene: Scene, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the finished photograph `[H, W, 3]` of a painted scene.

    Args:
        canvas: The painted scene.
        stage: Background of the camera on this day.
        scene: Cars, people and light.
        rng: Random generator.
    """
    light = scene.light
    levels = np.asarray(canvas.picture.reduce(FINE), np.float32)
    levels = levels * _brightness(stage, scene)
    levels = _with_haze(levels, stage.depth, light)
    sky = _sky(stage, light, rng)
    above = slice(0, len(sky))
    bare = stage.sky[above] * (np.asarray(canvas.marks)[above] == 0)
    levels[above] += (sky - levels[above]) * bare[..., None]
    if canvas.glow.getbbox():
        lamps = _lights(canvas)
        levels = add_glow(np.maximum(levels, lamps), lamps)
    levels = levels + grain(levels.shape, light.noise, rng)
    image = as_pixels(levels)
    return rain(image, rng) if light.wet else image


def _brightness(stage: Stage, scene: Scene) -> Levels:
    """Return `[H, W, 3]`, or `[3]` by day: the factor on every colour."""
    light, gain = scene.light, np.array(scene.light.gain, np.float32)
    if light.lamps < 0.05:
        return gain
    x, y = stage.floor
    pools, beams = np.zeros_like(x), np.zeros_like(x)
    for lamp in stage.lamps:
        apart = ((x - lamp[0]) ** 2 + (y - lamp[1]) ** 2) / POOL_M**2
        pools += 0.8 / (1 + apart) ** 2
    for car in scene.cars:
        if car.lit:
            beams += _beam(x - car.pose.x, y - car.pose.y, car.pose.heading)
    lit = light.lamps * (pools[..., None] * SODIUM + beams[..., None] * XENON)
    small = as_pixels(255 * np.minimum(lit, 1.0))
    wide = Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    return np.asarray(wide, np.float32) * np.float32(1 / 255) + gain


def _beam(x: Points, y: Points, heading: float) -> Points:
    """Return how strongly a car's headlights light the ground, 0 to about 0.8."""
    ahead = x * np.cos(heading) + y * np.sin(heading) - 2.0
    aside = y * np.cos(heading) - x * np.sin(heading)
    spread = 0.7 + 0.22 * np.maximum(ahead, 0)
    reach = np.exp(-np.maximum(ahead, 0) / BEAM_M) * np.clip(ahead / 2, 0, 1)
    return np.asarray(0.85 * reach * np.exp(-((aside / spread) ** 2)))


def _with_haze(levels: Levels, depth: Points, light: Light) -> Levels:
    thick = 1 - (1 - light.haze) ** (np.minimum(depth, 160) / 100)
    veil = thick.astype(np.float32)[:, None, None]
    return levels + (np.array(light.sky_low, np.float32) - levels) * veil


def _sky(stage: Stage, light: Light, rng: np.random.Generator) -> Levels:
    """Return `[rows, W, 3]`: the sky from the top down to the horizon."""
    rows = int(np.clip(np.ceil(stage.view.horizon) + 2, 2, HEIGHT))
    height = np.clip(1 - np.arange(rows) / max(stage.view.horizon, 1.0), 0, 1)
    blend = (height * min(stage.view.horizon / 160, 1.0))[:, None] ** 0.8
    column = np.array(light.sky_low) * (1 - blend) + np.array(light.sky_high) * blend
    puffs = Image.fromarray((255 * rng.random((6, 12))).astype(np.uint8))
    puffs = puffs.resize((WIDTH, rows), Image.Resampling.BICUBIC)
    cover = np.asarray(puffs, np.float32)[..., None] / 255 - np.float32(1 - light.clouds)
    sky = column[:, None].astype(np.float32)
    white = np.array(light.sky_low, np.float32) * np.float32(1.08)
    return sky + (white - sky) * np.clip(cover, 0, 1) * np.float32(0.75)


def _lights(canvas: Canvas) -> Levels:
    """Return what glows and is not hidden by something nearer."""
    seen = np.asarray(canvas.glow_marks) == np.asarray(canvas.marks)
    return np.where(seen[..., None], np.asarray(canvas.glow, np.float32), np.float32(0))
