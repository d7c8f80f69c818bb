"""Define meshes of flat faces, each with a role that decides its colour, and poses."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import cos, pi, sin

import numpy as np

from components.data.simulate_cameras.camera import Points

Face = tuple[str, Points]


@dataclass(frozen=True)
class Mesh:
    """Faces in the order they are painted; x runs ahead, y to the left, z up, in metres.

    Attributes:
        roles: What each face is, such as `paint` or `glass`.
        points: Corners `[V, 3]` of all faces, one face after the other.
        starts: Where each face begins in `points`, and at last their number.
    """

    roles: tuple[str, ...]
    points: Points
    starts: tuple[int, ...]

    @classmethod
    def of(cls, faces: Sequence[Face]) -> "Mesh":
        """Put faces `(role, corners [K, 3])` together."""
        starts = np.cumsum([0, *(len(corners) for _, corners in faces)])
        points = np.concatenate([corners for _, corners in faces])
        return cls(tuple(role for role, _ in faces), points, tuple(starts.tolist()))

    @cached_property
    def centres(self) -> Points:
        """`[F, 3]`: the middle of each face."""
        sums = np.add.reduceat(self.points, self.starts[:-1])
        return sums / np.diff(self.starts)[:, None]

    @cached_property
    def normals(self) -> Points:
        """`[F, 3]`: unit vectors that point out of the mesh.

        Source:
            Newell's method, in Sutherland, Sproull and Schumacker, "A Characterization of
            Ten Hidden-Surface Algorithms", ACM Computing Surveys 6, 1974.
        """
        following = np.arange(1, len(self.points) + 1)
        following[np.array(self.starts[1:]) - 1] = self.starts[:-1]
        turns = np.cross(self.points, self.points[following])
        normals = np.add.reduceat(turns, self.starts[:-1])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        middle = (self.points.min(axis=0) + self.points.max(axis=0)) / 2
        inwards = ((self.centres - middle) * normals).sum(axis=1) < 0
        return np.where(inwards[:, None], -normals, normals)


@dataclass(frozen=True)
class Pose:
    """Position on the ground, in metres, and heading, in radians."""

    x: float
    y: float
    heading: float = 0.0

    @property
    def rotation(self) -> Points:
        """`[3, 3]`: turns rows of the mesh's own axes into rows of the world's."""
        c, s = cos(self.heading), sin(self.heading)
        return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])

    def place(self, points: Points) -> Points:
        """Turn points `[N, 3]` of a mesh into points of the world."""
        return np.asarray(points @ self.rotation + np.array((self.x, self.y, 0.0)))

    def at(self, x: float, y: float, turn: float = 0.0) -> "Pose":
        """Return the pose that is `x` ahead and `y` to the left, turned to the left.

        Args:
            x: Metres ahead.
            y: Metres to the left.
            turn: Radians to the left.
        """
        c, s = cos(self.heading), sin(self.heading)
        return Pose(self.x + c * x - s * y, self.y + s * x + c * y, self.heading + turn)


def quad(role: str, *corners: tuple[float, float, float]) -> Face:
    """Return one face from its corners in turn."""
    return role, np.array(corners, float)


def prism(role: str, base: Points, low: float, high: float, top: str = "") -> list[Face]:
    """Return the walls and the top of an upright prism.

    Args:
        role: Role of its walls, which decides their colour.
        base: Corners `[K, 2]` of its footprint, in turn.
        low: Where it begins, in metres above the ground.
        high: Where it ends.
        top: Role of its top; that of the walls if empty.
    """
    floor, roof = np.insert(base, 2, low, axis=1), np.insert(base, 2, high, axis=1)
    walls = [
        (role, np.array([floor[i - 1], floor[i], roof[i], roof[i - 1]])) for i in range(len(base))
    ]
    return [*walls, (top or role, roof)]


def rectangle(length: float, width: float, x: float = 0.0, y: float = 0.0) -> Points:
    """Return the corners `[4, 2]` of a rectangle around a point.

    Args:
        length: Along x, in metres.
        width: Along y, in metres.
        x: Metres ahead.
        y: Metres to the left.
    """
    half = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * (length / 2, width / 2)
    return np.asarray(half + np.array((x, y)))


def circle(radius: float, corners: int = 12, x: float = 0.0, y: float = 0.0) -> Points:
    """Return the corners `[corners, 2]` of a polygon that is nearly a circle.

    Args:
        radius: In metres.
        corners: Number of corners.
        x: Metres ahead.
        y: Metres to the left.
    """
    angles = np.arange(corners) * (2 * pi / corners)
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
