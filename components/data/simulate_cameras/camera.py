"""Project world coordinates to pixels with a pinhole camera above flat ground.

The world has x to the right, y away from the camera and z up, with the camera above the
origin. Pixels run from the top left corner.
"""

from dataclasses import dataclass
from functools import cached_property
from math import cos, sin, tan

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 640, 480
NEAR = 0.5

Points = NDArray[np.float64]


@dataclass(frozen=True)
class CameraPose:
    """Position and direction of a camera.

    Attributes:
        height: Of the camera above the ground, in metres.
        pitch: Downwards, in radians.
        pan: To the right, in radians.
        focal: In pixels.
    """

    height: float
    pitch: float
    pan: float
    focal: float

    @cached_property
    def axes(self) -> Points:
        """`[3, 3]`: right, down and ahead, as unit vectors of the world."""
        right = (cos(self.pan), -sin(self.pan), 0.0)
        ahead = (
            sin(self.pan) * cos(self.pitch),
            cos(self.pan) * cos(self.pitch),
            -sin(self.pitch),
        )
        return np.array([right, np.cross(ahead, right), ahead])

    @property
    def eye(self) -> Points:
        """Position of the camera in the world."""
        return np.array([0.0, 0.0, self.height])

    @property
    def horizon(self) -> float:
        """The row of the horizon; below 0 no sky is visible."""
        return HEIGHT / 2 - self.focal * tan(self.pitch)

    def to_camera(self, points: Points) -> Points:
        """Turn world points `[N, 3]` to metres right of, below and ahead of the lens."""
        return (points - self.eye) @ self.axes.T

    def project(self, points: Points) -> tuple[Points, Points]:
        """Return the pixels `[N, 2]` of world points `[N, 3]`, and how far ahead they are.

        A point behind the lens is drawn at a distance of `NEAR`; ask the distance first.
        """
        seen = self.to_camera(points)
        scale = self.focal / np.maximum(seen[:, 2:], NEAR)
        return seen[:, :2] * scale + (WIDTH / 2, HEIGHT / 2), seen[:, 2]

    def outline(self, polygon: Points) -> Points:
        """Return the pixels of a polygon `[N, 3]`, cut off where it passes the lens."""
        seen = self.to_camera(polygon)
        if (seen[:, 2] < NEAR).any():
            seen = _cut(seen)
        return seen[:, :2] * (self.focal / seen[:, 2:]) + (WIDTH / 2, HEIGHT / 2)

    def ground(self, columns: Points, rows: Points) -> tuple[Points, Points]:
        """Return x and y of the ground under pixels; infinity at the horizon and above.

        Args:
            columns: Pixel columns, in any shape.
            rows: Pixel rows, in the same shape.
        """
        right, down, ahead = self.axes
        rays = [
            right[axis] * (columns - WIDTH / 2)
            + down[axis] * (rows - HEIGHT / 2)
            + ahead[axis] * self.focal
            for axis in range(3)
        ]
        reach = np.where(rays[2] < -1e-6, self.height / np.maximum(-rays[2], 1e-6), np.inf)
        return rays[0] * reach, rays[1] * reach


def on_ground(points: Points) -> Points:
    """Give ground points `[N, 2]` a height of zero, `[N, 3]`."""
    raised = np.zeros((len(points), 3))
    raised[:, :2] = points
    return raised


def _cut(seen: Points) -> Points:
    """Cut a polygon at the plane just before the lens."""
    kept = []
    for start, end in zip(seen, np.roll(seen, -1, axis=0), strict=True):
        if start[2] >= NEAR:
            kept.append(start)
        if (start[2] >= NEAR) != (end[2] >= NEAR):
            share = (NEAR - start[2]) / (end[2] - start[2])
            kept.append(start + share * (end - start))
    return np.array(kept).reshape(-1, 3)
