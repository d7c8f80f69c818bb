"""Lay out flat ground: grass, asphalt, paving and road markings, in painting order."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from components.data.simulate_cameras.camera import Points, on_ground
from components.data.simulate_cameras.conditions import Colour
from components.data.simulate_cameras.mesh import Pose, circle, rectangle

GRASS: Colour = (92, 106, 62)
ASPHALT: Colour = (98, 98, 101)
PAVING: Colour = (146, 141, 132)
KERB: Colour = (172, 169, 160)
MARK: Colour = (208, 208, 202)
LANE_WIDTH, BAY_WIDTH, BAY_DEPTH = 3.4, 2.7, 5.2


@dataclass(frozen=True)
class Patch:
    """A flat polygon `[K, 2]` of one colour, in metres."""

    corners: Points
    colour: Colour


@dataclass(frozen=True)
class Lane:
    """A straight way that cars drive along: its start, its heading and its length."""

    start: Pose
    length: float


@dataclass
class Ground:
    """All flat patches of a site, and the lanes and places for cars on them."""

    patches: list[Patch] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    bays: list[Pose] = field(default_factory=list)

    def lay(self, frame: Pose, corners: Points, colour: Colour) -> None:
        """Lay a polygon given in a frame of its own.

        Args:
            frame: Origin and heading of the road or row, in metres and radians.
            corners: Corners `[K, 2]` in that frame, in metres.
            colour: RGB, 0 to 255.
        """
        self.patches.append(Patch(flat(frame, corners), colour))

    def road(self, frame: Pose, start: float, end: float, pavement: float = 2.4) -> None:
        """Lay a road of two lanes along x of a frame; people drive on the right.

        Args:
            frame: Origin and heading of the road or row, in metres and radians.
            start: x of its beginning, in metres.
            end: x of its end, in metres.
            pavement: Width of each pavement, in metres.
        """
        middle, length = (start + end) / 2, end - start
        for width, colour in (
            (2 * LANE_WIDTH + 2 * pavement + 0.3, KERB),
            (2 * LANE_WIDTH + 2 * pavement, PAVING),
            (2 * LANE_WIDTH + 0.4, KERB),
            (2 * LANE_WIDTH, ASPHALT),
        ):
            self.lay(frame, rectangle(length, width, middle), colour)
        for side in (1, -1):
            first, turn = (end, np.pi) if side > 0 else (start, 0.0)
            self.lanes.append(Lane(frame.at(first, side * LANE_WIDTH / 2, turn), length))

    def dashes(self, frame: Pose, start: float, end: float) -> None:
        """Paint the broken line in the middle of a road.

        Args:
            frame: Origin and heading of the road or row, in metres and radians.
            start: x of the beginning, in metres.
            end: x of the end, in metres.
        """
        for x in np.arange(start + 1.5, end, 6.0):
            self.lay(frame, rectangle(3.0, 0.16, x), MARK)

    def zebra(self, frame: Pose, x: float) -> None:
        """Paint a crossing over a road, and a stop line on its far side.

        Args:
            frame: Origin and heading of the road or row, in metres and radians.
            x: x of its middle, in metres.
        """
        for y in np.arange(-LANE_WIDTH + 0.45, LANE_WIDTH, 0.96):
            self.lay(frame, rectangle(2.8, 0.48, x, y), MARK)

    def row(self, frame: Pose, count: int, way: int) -> None:
        """Paint parking bays side by side along x of a frame, open towards `way` of y.

        Args:
            frame: Origin and heading of the road or row, in metres and radians.
            count: Number of bays.
            way: 1 or -1, the sign of y where cars drive in.
        """
        for number in range(count + 1):
            x = (number - count / 2) * BAY_WIDTH
            self.lay(frame, rectangle(0.12, BAY_DEPTH, x, way * BAY_DEPTH / 2), MARK)
        for number in range(count):
            x = (number + 0.5 - count / 2) * BAY_WIDTH
            self.bays.append(frame.at(x, way * BAY_DEPTH / 2, way * np.pi / 2))

    def arrow(self, frame: Pose, x: float, y: float, way: int) -> None:
        """Paint an arrow along x.

        Args:
            frame: Origin and heading of the road or row, in metres and radians.
            x: x of its middle, in metres.
            y: y of its middle, in metres.
            way: 1 or -1, the sign of x that it points to.
        """
        shape = np.array(
            [[-1, 0.1], [0.4, 0.1], [0.4, 0.32], [1.2, 0], [0.4, -0.32], [0.4, -0.1], [-1, -0.1]]
        )
        self.lay(frame.at(x, y), shape * (way, 1), MARK)

    def wear(self, rng: np.random.Generator, where: Points, spread: float) -> None:
        """Add repairs, stains and manhole covers around points `[N, 2]`.

        Args:
            rng: Random generator.
            where: x and y `[N, 2]` of the world, in metres.
            spread: Standard deviation around each point, in metres.
        """
        for x, y in where:
            moved, turn = rng.normal((x, y), spread), float(rng.uniform(0, 6))
            frame = Pose(float(moved[0]), float(moved[1]), turn)
            kind = rng.integers(3)
            dark = float(rng.uniform(0.74, 0.92))
            tone = (ASPHALT[0] * dark, ASPHALT[1] * dark, ASPHALT[2] * dark)
            if kind == 0:
                self.lay(frame, rectangle(rng.uniform(1, 3), rng.uniform(0.5, 1.4)), tone)
            elif kind == 1:
                self.lay(frame, circle(rng.uniform(0.3, 0.7)), tone)
            else:
                self.lay(frame, circle(0.36), (70, 68, 66))


def flat(frame: Pose, corners: Points) -> Points:
    """Turn ground points `[N, 2]` of a frame into ground points of the world.

    Args:
        frame: Origin and heading of the road or row, in metres and radians.
        corners: x and y `[N, 2]` in that frame, in metres.
    """
    return frame.place(on_ground(corners))[:, :2]


def along(frame: Pose, start: float, end: float, step: float, y: float) -> Iterator[Pose]:
    """Yield poses at even steps along x of a frame.

    Args:
        frame: Origin and heading of the road or row, in metres and radians.
        start: x of the first pose, in metres.
        end: x before which the last one lies, in metres.
        step: Distance between two poses, in metres.
        y: y of all poses, in metres.
    """
    for x in np.arange(start, end, step):
        yield frame.at(float(x), y)
