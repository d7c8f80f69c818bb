"""Define the objects of a scene that are no cars, and make the small ones: lamps, trees, people."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from components.data.simulate_cameras import sprites
from components.data.simulate_cameras.camera import Points
from components.data.simulate_cameras.mesh import Face, Mesh, Pose, circle, prism, quad, rectangle

COLOURS = {
    "metal": (120, 124, 128),
    "dark": (54, 58, 62),
    "glass": (58, 70, 82),
    "lens": (222, 222, 210),
    "wood": (122, 92, 62),
    "white": (226, 226, 222),
    "red": (188, 46, 40),
    "orange": (226, 104, 36),
    "green": (46, 84, 58),
    "card": (164, 128, 88),
    "yellow": (214, 178, 54),
    "blue": (44, 78, 138),
    "stone": (150, 142, 130),
    "leaf": (78, 98, 52),
    "leaf_top": (96, 118, 62),
}
SPRITES = {
    "tree": (sprites.tree, (4.5, 7.5)),
    "bush": (sprites.bush, (0.9, 1.5)),
    "person": (sprites.person, (1.6, 1.88)),
    "bicycle": (sprites.bicycle, (1.05, 1.1)),
}


@dataclass(frozen=True, eq=False)
class Thing:
    """One object and its position.

    Attributes:
        pose: Its foot.
        mesh: Its faces, if it has any.
        colours: RGB of their roles.
        sprite: Its picture, if it has no faces.
        tall: Height of the picture, in metres.
        shadow: Footprint `[K, 2]`, lower and upper end of what keeps the sun out.
        lamp: Where its light hangs `[3]`, if it is a street lamp.
        solid: Whether nothing behind it can be seen, as behind a house.
    """

    pose: Pose
    mesh: Mesh | None = None
    colours: Mapping[str, Points] = field(default_factory=dict)
    sprite: Image.Image | None = None
    tall: float = 0.0
    shadow: tuple[Points, float, float] = (rectangle(0.2, 0.2), 0.0, 0.2)
    lamp: Points | None = None
    solid: bool = False


def sprite(kind: str, pose: Pose, rng: np.random.Generator) -> Thing:
    """Return a tree, bush, person or bicycle.

    Args:
        kind: `tree`, `bush`, `person` or `bicycle`.
        pose: Where it stands, in metres and radians.
        rng: Random generator.
    """
    draw, (low, high) = SPRITES[kind]
    number = int(rng.integers(8))
    picture, tall = draw(number), float(rng.uniform(low, high))
    if kind == "bicycle":
        tall *= picture.height / 110
    if rng.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    wide = tall * picture.width / picture.height
    start = 0.42 * tall if kind == "tree" else 0.0
    radius = {"tree": 0.34, "bush": 0.4, "person": 0.3, "bicycle": 0.2}[kind] * wide
    return Thing(pose, sprite=picture, tall=tall, shadow=(circle(radius, 10), start, tall * 0.95))


def built(kind: str, pose: Pose, rng: np.random.Generator) -> Thing:
    """Return one of the small objects that are built of faces.

    Args:
        kind: A key of `BUILDERS`, such as `lamp`.
        pose: Where it stands, in metres and radians.
        rng: Random generator.
    """
    faces, shadow = BUILDERS[kind]()
    colours = {role: np.array(colour, float) for role, colour in COLOURS.items()}
    lamp = pose.place(np.array([[1.5, 0, 5.9]]))[0] if kind == "lamp" else None
    if kind == "box":
        pose = Pose(pose.x, pose.y, float(rng.uniform(0, 6)))
    return Thing(pose, Mesh.of(faces), colours, shadow=shadow, lamp=lamp)


Built = tuple[list[Face], tuple[Points, float, float]]


def _lamp() -> Built:
    faces = prism("metal", circle(0.09, 6), 0, 6)
    faces += prism("metal", rectangle(1.6, 0.1, 0.75), 5.95, 6.05)
    faces += prism("dark", rectangle(0.6, 0.24, 1.5), 5.92, 6.08)
    faces.append(
        quad("lens", (1.25, 0.1, 5.9), (1.75, 0.1, 5.9), (1.75, -0.1, 5.9), (1.25, -0.1, 5.9))
    )
    return faces, (circle(0.1, 4), 0, 6)


def _bin() -> Built:
    faces = prism("green", rectangle(0.62, 0.7), 0.08, 1.0)
    return [*faces, *prism("dark", rectangle(0.7, 0.78), 1.0, 1.1)], (rectangle(0.7, 0.7), 0, 1.1)


def _bench() -> Built:
    faces = [face for x in (-0.7, 0.7) for face in prism("dark", rectangle(0.1, 0.5, x), 0, 0.42)]
    faces += prism("wood", rectangle(1.8, 0.5), 0.42, 0.5)
    return [*faces, *prism("wood", rectangle(1.8, 0.08, 0, 0.24), 0.5, 0.9)], (
        rectangle(1.8, 0.5),
        0,
        0.7,
    )


def _cone() -> Built:
    faces = prism("dark", rectangle(0.42, 0.42), 0, 0.05)
    for low, high, role in ((0.05, 0.3, "orange"), (0.3, 0.48, "white"), (0.48, 0.72, "orange")):
        faces += prism(role, circle(0.19 * (1 - (low + high) / 1.6), 8), low, high)
    return faces, (rectangle(0.3, 0.3), 0, 0.7)


def _box() -> Built:
    faces = prism("card", rectangle(0.7, 0.5), 0, 0.5)
    return [*faces, *prism("wood", rectangle(0.72, 0.09), 0.5, 0.51)], (rectangle(0.7, 0.5), 0, 0.5)


def _bollard() -> Built:
    faces = prism("stone", circle(0.13, 8), 0, 0.75)
    return [*faces, *prism("white", circle(0.135, 8), 0.75, 0.9)], (circle(0.13, 5), 0, 0.9)


def _sign() -> Built:
    faces = prism("metal", circle(0.04, 5), 0, 2.6)
    return [*faces, *prism("blue", rectangle(0.05, 0.7, 0.05), 2.0, 2.7)], (
        rectangle(0.1, 0.5),
        1,
        2.6,
    )


def _signal() -> Built:
    faces = prism("dark", circle(0.07, 6), 0, 3.4)
    faces += prism("dark", rectangle(0.25, 0.34, 0.1), 2.4, 3.4)
    lights = (("red", 3.2), ("yellow", 2.9), ("green", 2.6))
    for role, z in lights:
        faces.append(
            quad(
                role,
                (0.24, 0.1, z - 0.1),
                (0.24, -0.1, z - 0.1),
                (0.24, -0.1, z + 0.1),
                (0.24, 0.1, z + 0.1),
            )
        )
    return faces, (rectangle(0.2, 0.3), 0, 3.4)


def _booth() -> Built:
    faces = prism("white", rectangle(2.4, 1.5), 0, 2.3)
    for x in (1.21, -1.21):
        faces.append(quad("glass", (x, -0.6, 1.0), (x, 0.6, 1.0), (x, 0.6, 1.95), (x, -0.6, 1.95)))
    for y in (0.76, -0.76):
        faces.append(quad("glass", (-1, y, 1.0), (1, y, 1.0), (1, y, 1.95), (-1, y, 1.95)))
    return [*faces, *prism("red", rectangle(2.8, 1.9), 2.3, 2.5)], (rectangle(2.4, 1.5), 0, 2.5)


def _boom() -> Built:
    """Return a barrier whose arm reaches 3.2 m to the left of its heading."""
    faces = prism("yellow", rectangle(0.4, 0.4), 0, 1.05)
    for part in range(6):
        base = rectangle(0.09, 0.54, 0.0, 0.45 + 0.54 * part)
        faces += prism("white" if part % 2 else "red", base, 0.86, 1.0)
    return faces, (rectangle(0.1, 3.3, 0, 1.6), 0.8, 1.0)


def _fence() -> Built:
    """Return 2.5 m of fence along its heading."""
    faces = prism("dark", rectangle(0.08, 0.08, -1.2), 0, 1.35)
    for z in (0.3, 0.65, 1.0, 1.28):
        faces += prism("metal", rectangle(2.5, 0.04), z, z + 0.06)
    return faces, (rectangle(2.5, 0.05), 0.4, 0.7)


def _wall() -> Built:
    faces = prism("stone", rectangle(2.5, 0.3), 0, 0.85)
    return [*faces, *prism("white", rectangle(2.5, 0.38), 0.85, 0.93)], (
        rectangle(2.5, 0.3),
        0,
        0.9,
    )


def _hedge() -> Built:
    return prism("leaf", rectangle(2.6, 0.9), 0, 1.05, "leaf_top"), (rectangle(2.6, 0.9), 0, 1.0)


BUILDERS = {
    "lamp": _lamp,
    "bin": _bin,
    "bench": _bench,
    "cone": _cone,
    "box": _box,
    "bollard": _bollard,
    "sign": _sign,
    "signal": _signal,
    "booth": _booth,
    "boom": _boom,
    "fence": _fence,
    "wall": _wall,
    "hedge": _hedge,
}
