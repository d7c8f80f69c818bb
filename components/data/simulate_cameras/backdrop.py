"""Paint the backdrop of a scene: everything flat with its texture, and the hills behind it."""

import numpy as np
from PIL import Image, ImageDraw

from components.data.simulate_cameras.camera import HEIGHT, WIDTH, CameraPose, on_ground
from components.data.simulate_cameras.mesh import circle
from components.data.simulate_cameras.paint import FINE
from components.data.simulate_cameras.site import Site
from components.data.simulate_cameras.streets import GRASS, Patch
from components.shared.vision.weather import as_pixels

PUDDLE = (124, 134, 146)


def paint_ground(
    canvas: Image.Image, site: Site, view: CameraPose, rng: np.random.Generator
) -> None:
    """Paint everything flat of a site on an RGBA canvas `FINE` times the frame's size.

    Args:
        canvas: The picture, RGBA, `FINE` times the size of a frame.
        site: Ground and permanent objects.
        view: Position and angle of the camera.
        rng: Random generator.
    """
    brush = ImageDraw.Draw(canvas)
    top = max(int(view.horizon * FINE), 0)
    brush.rectangle((0, top, canvas.width, canvas.height), fill=(*map(int, GRASS), 255))
    for patch in [*site.ground.patches, *_puddles(site, rng)]:
        pixels = view.outline(on_ground(patch.corners))
        if len(pixels) > 2 and pixels[:, 1].max() > 0:
            fill = (*map(int, patch.colour), 255)
            brush.polygon((pixels * FINE).ravel().tolist(), fill=fill)
    alpha = canvas.getchannel("A")
    rough = _roughness(view, rng).resize(canvas.size, Image.Resampling.BILINEAR)
    grain = np.asarray(rough, np.float32)[..., None] / 128
    canvas.paste(Image.fromarray(as_pixels(np.asarray(canvas.convert("RGB")) * grain)), (0, 0))
    canvas.putalpha(alpha)


def _puddles(site: Site, rng: np.random.Generator) -> list[Patch]:
    """Leave some water where people walk; on other days it is elsewhere."""
    found = []
    for number in rng.integers(len(site.walks), size=int(rng.integers(5))).tolist():
        spot, ragged = site.walks[number], rng.uniform(0.6, 1.4, (12, 1))
        wide = circle(1.0) * ragged * rng.uniform(0.4, 1.1, 2)
        found.append(Patch(wide + np.array((spot.x, spot.y - 1.5)), PUDDLE))
    return found


def _roughness(view: CameraPose, rng: np.random.Generator) -> Image.Image:
    """Return how bright the ground's grain is, of the frame's size, 128 being as painted."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    x, y = view.ground(columns, np.maximum(rows, view.horizon + 2))
    fine = rng.standard_normal((256, 256))
    soft = np.mean([np.roll(fine, (i % 5, i // 5), (0, 1)) for i in range(25)], axis=0) * 2
    distance, grain = np.hypot(x, y), np.zeros_like(x)
    for scale, strength, reach, noise in ((14, 9, 28, fine), (8, 26, 70, soft), (1, 20, 200, soft)):
        cells = (np.floor(axis * scale).astype(int) % 256 for axis in (x, y))
        grain += strength * noise[*cells] * np.exp(-distance / reach)
    return Image.fromarray(as_pixels(128 + grain))


def paint_skyline(canvas: Image.Image, view: CameraPose, rng: np.random.Generator) -> None:
    """Paint hills and a seam of trees where the ground ends.

    Args:
        canvas: The picture, RGBA, `FINE` times the size of a frame.
        view: Position and angle of the camera.
        rng: Random generator.
    """
    if view.horizon < 1:
        return
    brush, foot = ImageDraw.Draw(canvas), view.horizon * FINE + 2
    x = np.linspace(0, canvas.width, 160)
    for height, rough, colour in ((26, 5, (126, 140, 142)), (13, 8, (84, 98, 78))):
        waves = sum(np.sin(x / rng.uniform(30, 260) + rng.uniform(0, 6)) for _ in range(4))
        tops = foot - np.maximum(height + rough * waves + rng.normal(0, rough / 4, 160), 3)
        points = [(0, foot), *zip(x.tolist(), tops.tolist(), strict=True), (canvas.width, foot)]
        brush.polygon(points, fill=(*colour, 255))
