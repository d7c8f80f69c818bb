"""Build houses behind the streets, with some windows lit."""

import numpy as np

from components.data.simulate_cameras.mesh import Face, Mesh, Pose, prism, quad, rectangle
from components.data.simulate_cameras.things import Thing

WALLS = ((176, 160, 140), (158, 108, 88), (196, 190, 178), (142, 146, 150), (186, 166, 118))
ROOFS = ((112, 62, 50), (78, 78, 84), (92, 72, 62))


def house(pose: Pose, length: float, depth: float, storeys: int, rng: np.random.Generator) -> Thing:
    """Return a house whose front is on the right of its heading.

    Args:
        pose: Middle and heading, in metres and radians.
        length: Length along the heading, in metres.
        depth: Depth across it, in metres.
        storeys: Number of storeys of 3 m.
        rng: Random generator.
    """
    high, base = 3.0 * storeys + 0.6, rectangle(length, depth)
    faces = prism("wall", base, 0, high)
    for x in np.arange(-length / 2 + 1.4, length / 2 - 1, 2.6):
        for storey in range(storeys):
            for y in (depth / 2 + 0.03, -depth / 2 - 0.03):
                faces.append(_window("window", x, y, 3.0 * storey + 1.0, 1.2))
    faces.append(_window("door", length / 4, -depth / 2 - 0.05, 0.0, 1.1))
    faces += _gable(length, depth, high) if rng.random() < 0.5 else _flat_roof(length, depth, high)
    palette = {"wall": WALLS[rng.integers(5)], "roof": ROOFS[rng.integers(3)]}
    palette |= {"window": (70, 82, 94), "door": (84, 62, 48), "trim": (120, 116, 110)}
    colours = {role: np.array(colour, float) for role, colour in palette.items()}
    return Thing(pose, Mesh.of(faces), colours, shadow=(base, 0, high), solid=True)


def _window(role: str, x: float, y: float, z: float, wide: float) -> Face:
    high = 2.1 if role == "door" else 1.4
    left, right = x - wide / 2, x + wide / 2
    return quad(role, (left, y, z), (right, y, z), (right, y, z + high), (left, y, z + high))


def _flat_roof(length: float, depth: float, high: float) -> list[Face]:
    return prism("trim", rectangle(length + 0.4, depth + 0.4), high, high + 0.35)


def _gable(length: float, depth: float, high: float) -> list[Face]:
    a, b, top = length / 2 + 0.3, depth / 2 + 0.4, high + depth * 0.34
    faces = [
        quad(
            "roof", (-a, side * b, high - 0.2), (a, side * b, high - 0.2), (a, 0, top), (-a, 0, top)
        )
        for side in (1, -1)
    ]
    ends = [np.array([(x, -b, high), (x, b, high), (x, 0, top - 0.1)]) for x in (a - 0.3, 0.3 - a)]
    return [*(("wall", end) for end in ends), *faces]
