"""Define the permanent objects of one camera's view: ground, houses, trees and furniture."""

from dataclasses import dataclass, field
from math import pi

import numpy as np

from components.data.simulate_cameras.camera import CameraPose
from components.data.simulate_cameras.houses import house
from components.data.simulate_cameras.mesh import Pose, rectangle
from components.data.simulate_cameras.streets import LANE_WIDTH, MARK, Ground
from components.data.simulate_cameras.things import Thing, built, sprite


@dataclass
class Site:
    """Ground and permanent objects of one camera's view.

    Attributes:
        name: Name of its camera.
        view: From where it is seen, before wind and hands have moved the camera.
        driving: How many of its cars are under way, as a share.
        ground: Flat patches and lanes.
        things: Permanent objects.
        walks: Where people may be.
    """

    name: str
    view: CameraPose
    driving: float
    ground: Ground = field(default_factory=Ground)
    things: list[Thing] = field(default_factory=list)
    walks: list[Pose] = field(default_factory=list)

    def stand(self, rng: np.random.Generator, pose: Pose, *kinds: str) -> None:
        """Put up something small, built or grown, one of some kinds.

        Args:
            rng: Random generator.
            pose: Where it stands, in metres and radians.
            *kinds: Kinds of objects, of which one is drawn.
        """
        kind = str(rng.choice(kinds))
        make = sprite if kind in ("tree", "bush") else built
        self.things.append(make(kind, pose, rng))

    def build(self, rng: np.random.Generator, pose: Pose) -> None:
        """Build a house along the heading of a pose.

        Args:
            rng: Random generator.
            pose: Middle and heading of the house, in metres and radians.
        """
        length, depth = float(rng.uniform(10, 16)), float(rng.uniform(8, 11))
        self.things.append(house(pose, length, depth, int(rng.integers(1, 4)), rng))

    def furnish(self, rng: np.random.Generator, frame: Pose, y: float) -> None:
        """Put what pavements have along x of a frame.

        Args:
            rng: Random generator.
            frame: Origin and heading of the road or row, in metres and radians.
            y: Distance of the pavement from its middle, in metres.
        """
        for x in rng.uniform(-10, 55, 6).tolist():
            self.stand(rng, frame.at(x, y), "bin", "bench", "sign", "bollard")

    def street_front(self, rng: np.random.Generator, frame: Pose, y: float) -> None:
        """Build a row of houses and trees across the far end.

        Args:
            rng: Random generator.
            frame: Origin and heading of the road or row, in metres and radians.
            y: Distance of the houses, in metres.
        """
        for x in range(-60, 61, 20):
            self.build(rng, frame.at(x, y + float(rng.uniform(0, 6))))
            self.stand(rng, frame.at(x + 10, y - 3), "tree")

    def parking_strip(self, frame: Pose, side: int) -> None:
        """Lay parking places one behind the other beside a road.

        Args:
            frame: Origin and heading of the road or row, in metres and radians.
            side: 1 for the left of its heading, -1 for the right.
        """
        y, turn = side * (LANE_WIDTH + 1.25), pi if side > 0 else 0.0
        self.ground.lay(frame, rectangle(70, 2.3, 22, y), (88, 88, 92))
        for x in range(-11, 56, 6):
            self.ground.lay(frame, rectangle(0.12, 2.3, x - 3.0, y), MARK)
            self.ground.bays.append(frame.at(x, y, turn))
