"""Build the mesh of a car: a lower body of seven sections, a cabin, four wheels and lights."""

from functools import cache
from itertools import pairwise

import numpy as np

from components.data.simulate_cameras.camera import Points
from components.data.simulate_cameras.mesh import Face, Mesh, circle, quad
from components.data.simulate_cameras.shapes import SHAPES, Shape


@cache
def car_mesh(kind: str) -> Mesh:
    """Return the mesh of one kind of car."""
    shape = SHAPES[kind]
    bed = _bed(shape) if kind == "pickup" else []
    wheels, cabin = _wheels(shape), _cabin(shape)
    return Mesh.of([*_hidden_wheels(shape), *_body(shape), *wheels, *_ends(shape), *bed, *cabin])


def _sections(shape: Shape) -> list[tuple[float, float, float]]:
    """Return x, half width and upper edge of the lower body, from nose to tail."""
    nose, rear, half = shape.length / 2, -shape.length / 2, shape.width / 2
    return [
        (nose, 0.80 * half, shape.nose - 0.07),
        (nose - 0.28, 0.95 * half, shape.nose),
        (shape.cowl, half, shape.belt - 0.03),
        (0.0, half, shape.belt),
        (max(shape.tail, rear + 0.3), 0.99 * half, shape.belt + 0.02),
        (rear + 0.18, 0.96 * half, shape.belt + 0.02),
        (rear, 0.87 * half, shape.belt - 0.07),
    ]


def _ring(shape: Shape, section: tuple[float, float, float], side: int) -> Points:
    """Return sill, waist and shoulder `[3, 3]` of a section on one side."""
    x, half, top = section
    waist = shape.sill + 0.55 * (top - shape.sill)
    profile = ((0.95, shape.sill), (1.0, waist), (0.93, top))
    return np.array([[x, side * half * share, z] for share, z in profile])


def _body(shape: Shape) -> list[Face]:
    sections = _sections(shape)
    left, right = ([_ring(shape, section, side) for section in sections] for side in (1, -1))
    faces: list[Face] = []
    for end in (0, -1):
        for low in (0, 1):
            corners = [left[end][low], left[end][low + 1], right[end][low + 1], right[end][low]]
            faces.append(("paint", np.array(corners)))
    for rings in (left, right):
        for fore, aft in pairwise(rings):
            for low in (0, 1):
                corners = [fore[low], aft[low], aft[low + 1], fore[low + 1]]
                faces.append(("paint", np.array(corners)))
        lows = [ring[0] for ring in rings]
        highs = [ring[0] + (ring[1] - ring[0]) * 0.22 for ring in rings]
        faces.append(("trim", np.array(lows + highs[::-1])))
    for at in range(len(sections) - 1):
        corners = [left[at][2], left[at + 1][2], right[at + 1][2], right[at][2]]
        faces.append(("paint", np.array(corners)))
    return faces


def _axles(shape: Shape) -> tuple[float, float]:
    return shape.length / 2 - 0.88, -shape.length / 2 + 0.86


def _disc(role: str, x: float, y: float, z: float, radius: float) -> Face:
    around = circle(radius, 14)
    return role, np.stack([x + around[:, 0], np.full(14, y), z + around[:, 1]], axis=1)


def _hidden_wheels(shape: Shape) -> list[Face]:
    """Return what is seen of the wheels below the body, from whichever side."""
    reach = shape.width / 2 - 0.2
    return [
        _disc("under", x, y, shape.wheel, shape.wheel)
        for x in _axles(shape)
        for y in (-reach, reach)
    ]


def _wheels(shape: Shape) -> list[Face]:
    faces: list[Face] = []
    for x in _axles(shape):
        for side in (1, -1):
            y = side * (shape.width / 2 + 0.005)
            arch = _disc("arch", x, y, shape.wheel, shape.wheel + 0.06)[1]
            faces.append(("arch", np.maximum(arch, [-9, -9, shape.sill * 0.8])))
            faces.append(_disc("tyre", x, y, shape.wheel, shape.wheel))
            faces.append(_disc("rim", x, y, shape.wheel, shape.wheel * 0.64))
            faces.append(_disc("hub", x, y, shape.wheel, shape.wheel * 0.2))
    return faces


def _ends(shape: Shape) -> list[Face]:
    """Return lamps, grille, bumpers and plates; they stand a finger before the body."""
    half = shape.width / 2
    front, rear = shape.length / 2 + 0.01, -shape.length / 2 - 0.01
    high, back = shape.nose - 0.1, shape.belt - 0.12
    faces = [
        _plate("grille", front, 0.0, 0.36 * half, high - 0.2, high),
        _plate("trim", front, 0.0, 0.72 * half, shape.sill, shape.sill + 0.16),
        _plate("plate", front, 0.0, 0.25, shape.sill + 0.17, shape.sill + 0.28),
        _plate("trim", rear, 0.0, 0.8 * half, shape.sill, shape.sill + 0.18),
        _plate("plate", rear, 0.0, 0.26, back - 0.24, back - 0.12),
    ]
    for side in (1, -1):
        y = side * 0.58 * half
        faces.append(_plate("head", front, y, 0.17 * half, high - 0.13, high + 0.01))
        faces.append(_plate("tail", rear, side * 0.68 * half, 0.16 * half, back - 0.2, back))
        faces.append(_corner("head", front, side, half, high, -1))
        faces.append(_corner("tail", rear, side, half, back, 1))
    return faces


def _plate(role: str, x: float, y: float, half: float, low: float, high: float) -> Face:
    return quad(
        role, (x, y - half, low), (x, y + half, low), (x, y + half, high), (x, y - half, high)
    )


def _corner(role: str, x: float, side: int, half: float, high: float, way: int) -> Face:
    """Return the part of a lamp that runs round the corner."""
    inner, outer = side * 0.81 * half, side * 0.93 * half
    back = x + way * 0.2
    low = high - 0.14
    return quad(role, (x, inner, low), (back, outer, low), (back, outer, high), (x, inner, high))


def _cabin(shape: Shape) -> list[Face]:
    base, roof = 0.91 * shape.width / 2, 0.73 * shape.width / 2
    low, high = shape.belt, shape.height
    faces = [_mirror(shape, side, base) for side in (1, -1)]
    for fore, aft in ((shape.cowl, shape.roof_front), (shape.tail, shape.roof_rear)):
        corners = [(fore, base, low), (fore, -base, low), (aft, -roof, high), (aft, roof, high)]
        faces.append(quad("paint", *corners))
        if shape.windows[0][0] < 0.5:
            faces.append(("glass", _inset(np.array(corners, float), 0.05, 0.95, 0.06, 0.93)))
    if shape.windows[0][0] >= 0.5:
        faces.append(("glass", _inset(faces[2][1], 0.05, 0.95, 0.06, 0.93)))
    for side in (1, -1):
        wall = np.array(
            [
                (shape.tail, side * base, low),
                (shape.cowl, side * base, low),
                (shape.roof_front, side * roof, high),
                (shape.roof_rear, side * roof, high),
            ]
        )
        faces.append(("paint", wall))
        faces += [("glass", _inset(wall, start, end, 0.08, 0.84)) for start, end in shape.windows]
    rear, front = shape.roof_rear, shape.roof_front
    top = [(rear, roof, high), (rear, -roof, high), (front, -roof, high), (front, roof, high)]
    return [*faces, quad("paint", *top)]


def _mirror(shape: Shape, side: int, base: float) -> Face:
    x, z = shape.cowl - 0.32, shape.belt + 0.02
    near, far = side * base, side * (base + 0.2)
    return quad("mirror", (x, near, z), (x, far, z), (x, far, z + 0.14), (x, near, z + 0.14))


def _inset(wall: Points, left: float, right: float, low: float, high: float) -> Points:
    """Return the part of a four-cornered wall between shares of its width and height."""
    start, end, end_up, start_up = wall

    def at(along: float, up: float) -> Points:
        bottom, top = start + along * (end - start), start_up + along * (end_up - start_up)
        return np.asarray(bottom + up * (top - bottom))

    return np.array([at(left, low), at(right, low), at(right, high), at(left, high)])


def _bed(shape: Shape) -> list[Face]:
    """Return the open load bed of a pickup, as a dark floor in its deck."""
    half, z = 0.78 * shape.width / 2, shape.belt + 0.03
    rear, front = -shape.length / 2 + 0.22, shape.tail - 0.05
    return [quad("bed", (rear, half, z), (front, half, z), (front, -half, z), (rear, -half, z))]
