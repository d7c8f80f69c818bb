"""Render one object as a camera sees it, once, to paste it into frames."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from components.data.simulate_cameras.camera import HEIGHT, WIDTH, CameraPose, Points
from components.data.simulate_cameras.conditions import Light
from components.data.simulate_cameras.paint import FINE, Fill, paint_mesh
from components.data.simulate_cameras.things import Thing

REACH = 110.0  # metres: what stands further off is not painted
PLAIN = Light(
    sun=np.array([-0.45, -0.55, 0.7]),
    direct=0.55,
    gain=(1, 1, 1),
    sky_high=(0, 0, 0),
    sky_low=(0, 0, 0),
    clouds=0,
    haze=0,
)


@dataclass(frozen=True, eq=False)
class Cutout:
    """A rendered object: RGBA at `FINE` times the frame's scale, and its mask."""

    thing: Thing
    image: Image.Image
    left: int
    top: int
    shape: Image.Image

    @classmethod
    def of(cls, thing: Thing, image: Image.Image, left: int, top: int) -> "Cutout":
        """Find the shape of a picture.

        Args:
            thing: The object.
            image: Its rendered image, RGBA, at `FINE` times the frame's scale.
            left: First column in the frame, in pixels.
            top: First row in the frame, in pixels.
        """
        solid = np.asarray(image.getchannel("A").reduce(FINE)) > 110
        return cls(thing, image, left, top, Image.fromarray(solid))

    @property
    def distance(self) -> float:
        """Distance from the camera, in metres."""
        return float(np.hypot(self.thing.pose.x, self.thing.pose.y))


def cutout(view: CameraPose, thing: Thing) -> Cutout | None:
    """Return the image of an object, or None if it is outside the frame.

    Args:
        view: Position and angle of the camera.
        thing: The object.
    """
    pose = thing.pose
    if not 2.0 < view.to_camera(np.array([[pose.x, pose.y, 0.0]]))[0, 2] < REACH:
        return None
    return _picture(view, thing) if thing.mesh is None else _faces(view, thing)


def _picture(view: CameraPose, thing: Thing) -> Cutout | None:
    assert thing.sprite is not None
    x, y = thing.pose.x, thing.pose.y
    (foot, head), _ = view.project(np.array([[x, y, 0.0], [x, y, thing.tall]]))
    high = float(foot[1] - head[1])
    wide = high * thing.sprite.width / thing.sprite.height
    left, top = int(foot[0] - wide / 2), int(head[1])
    beside = left >= WIDTH or left + wide < 2 or top >= HEIGHT or foot[1] < 2
    if beside or not 3 < high < 2 * HEIGHT:
        return None
    size = (max(round(wide * FINE), 2), max(round(high * FINE), 2))
    image = thing.sprite.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return _clipped(thing, image, left, top)


def _clipped(thing: Thing, image: Image.Image, left: int, top: int) -> Cutout:
    """Cut off what is outside the frame."""
    cut_left, cut_top = max(-left, 0), max(-top, 0)
    right, bottom = (WIDTH - left) * FINE, (HEIGHT - top) * FINE
    box = (cut_left * FINE, cut_top * FINE, min(image.width, right), min(image.height, bottom))
    return Cutout.of(thing, image.crop(box), left + cut_left, top + cut_top)


def _faces(view: CameraPose, thing: Thing) -> Cutout | None:
    assert thing.mesh is not None
    pixels, depth = view.project(thing.pose.place(thing.mesh.points))
    low = np.clip(np.floor(pixels.min(axis=0)), 0, (WIDTH, HEIGHT)).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=0)), 0, (WIDTH, HEIGHT)).astype(int)
    if (high - low).min() < 1 or depth.min() < 1.0:
        return None
    image = Image.new("RGBA", tuple(((high - low) * FINE).tolist()))
    brush = ImageDraw.Draw(image)

    def fill(corners: Points, colour: Fill) -> None:
        brush.polygon(((corners - low) * FINE).ravel().tolist(), fill=(*colour, 255))

    paint_mesh(fill, view, thing.mesh, thing.pose, thing.colours, PLAIN)
    return Cutout.of(thing, image, int(low[0]), int(low[1]))
