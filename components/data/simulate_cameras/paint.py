"""Rasterise meshes on a canvas at twice the frame's resolution, with an object id a pixel."""

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw

from components.data.simulate_cameras.camera import HEIGHT, WIDTH, CameraPose, Points
from components.data.simulate_cameras.conditions import Light
from components.data.simulate_cameras.mesh import Mesh, Pose

FINE = 2  # canvas pixels per pixel of the frame, along each side
TWO_SIDED = {"under", "mirror", "line"}
SHINE = {"paint": 0.16, "glass": 0.42, "mirror": 0.1, "metal": 0.12}
TINY_ROLES = {"hub", "mirror", "plate", "grille"}  # left out where they would be specks

Fill = tuple[int, ...]


class Canvas:
    """Three images of one size: colours, visible object ids, and glow.

    Args:
        picture: RGB, `FINE` times the frame's size; it is painted over.
    """

    def __init__(self, picture: Image.Image) -> None:
        self.picture = picture
        self.marks = Image.new("L", (WIDTH, HEIGHT))
        self.glow = Image.new("RGB", (WIDTH, HEIGHT))
        self.glow_marks = Image.new("L", (WIDTH, HEIGHT))
        self._brush = ImageDraw.Draw(picture)
        self._pen = ImageDraw.Draw(self.marks)
        self._lamp = ImageDraw.Draw(self.glow)
        self._lamp_pen = ImageDraw.Draw(self.glow_marks)

    def fill(self, pixels: Points, colour: Fill, mark: int = 0) -> None:
        """Paint a polygon `[K, 2]`, in pixels of the frame.

        Args:
            pixels: Corners `[K, 2]`, x and y in pixels of the frame.
            colour: RGB or RGBA, 0 to 255.
            mark: Number of the object, 1 to 255; 0 marks nothing.
        """
        self._brush.polygon((pixels * FINE).ravel().tolist(), fill=colour)
        if mark:
            self._pen.polygon(pixels.ravel().tolist(), fill=mark)

    def light(self, pixels: Points, colour: Fill, mark: int, radius: float) -> None:
        """Paint a glowing polygon, with a halo of a radius in pixels.

        Args:
            pixels: Corners `[K, 2]`, x and y in pixels of the frame.
            colour: RGB, 0 to 255.
            mark: Number of the object, 1 to 255.
            radius: Radius of the halo, in pixels.
        """
        (x, y), r = pixels.mean(axis=0), radius
        for pen, fill in ((self._lamp, colour), (self._lamp_pen, (mark,))):
            pen.polygon(pixels.ravel().tolist(), fill=fill)
            pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)

    def stamp(
        self, sprite: Image.Image, shape: Image.Image, left: int, top: int, mark: int
    ) -> None:
        """Paint a picture at a pixel of the frame.

        Args:
            sprite: RGBA, of the canvas's scale.
            shape: Black and white, of the frame's scale: where it hides what is behind.
            left: Column of the frame where it begins.
            top: Row of the frame where it begins.
            mark: Its number.
        """
        self.picture.paste(sprite, (left * FINE, top * FINE), sprite)
        self.marks.paste(mark, (left, top, left + shape.width, top + shape.height), shape)


def paint_mesh(
    fill: Callable[[Points, Fill], None],
    view: CameraPose,
    mesh: Mesh,
    pose: Pose,
    colours: Mapping[str, Points],
    light: Light,
) -> Points:
    """Paint a mesh where it stands, and return its corners `[V, 2]` in pixels.

    Args:
        fill: Paints one polygon `[K, 2]`.
        view: From where.
        mesh: What.
        pose: Where it stands.
        colours: RGB of each role, 0 to 255.
        light: Light on the mesh.
    """
    pixels, _ = view.project(pose.place(mesh.points))
    size = float(np.ptp(pixels, axis=0).max())
    fills = shade(mesh, pose, colours, light).tolist()
    facing = faces_eye(view, mesh, pose).tolist()
    for face, role in enumerate(mesh.roles):
        if (facing[face] or role in TWO_SIDED) and (size > 40 or role not in TINY_ROLES):
            fill(pixels[mesh.starts[face] : mesh.starts[face + 1]], tuple(fills[face]))
    return pixels


def faces_eye(view: CameraPose, mesh: Mesh, pose: Pose) -> Points:
    """Return whether each face is turned towards the camera, as bool `[F]`.

    Args:
        view: Position and angle of the camera.
        mesh: Mesh of `F` faces.
        pose: Where it stands, in metres and radians.
    """
    towards = view.eye - pose.place(mesh.centres)
    return np.asarray((towards * (mesh.normals @ pose.rotation)).sum(axis=1) > 0)


def shade(mesh: Mesh, pose: Pose, colours: Mapping[str, Points], light: Light) -> Points:
    """Return the colour `[F, 3]` of each face, whole numbers 0 to 255.

    Args:
        mesh: Mesh of `F` faces.
        pose: Where it stands, in metres and radians.
        colours: Colour `[3]` of each role of a face, 0 to 255.
        light: Light of the hour and weather.
    """
    normals = mesh.normals @ pose.rotation
    up = normals[:, 2:]
    sunlit = np.maximum(normals @ light.sun, 0)[:, None]
    bright = 0.74 + 0.22 * up + light.direct * (0.54 * sunlit - 0.2)
    shine = np.array([[SHINE.get(role, 0.0)] for role in mesh.roles])
    mirrored = shine * np.clip(0.45 + 0.9 * up, 0, 1)
    base = np.array([colours[role] for role in mesh.roles])
    sky = np.array([205.0, 218.0, 232.0])
    mixed = base * bright * (1 - mirrored) + sky * mirrored
    return np.asarray(np.clip(mixed, 0, 255).astype(int))
