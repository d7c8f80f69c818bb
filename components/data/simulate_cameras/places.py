"""Generate a site of one of four kinds (car park, road, crossing, gate) from seed and number."""

from collections.abc import Callable
from math import pi, sin

import numpy as np

from components.data.simulate_cameras.camera import CameraPose
from components.data.simulate_cameras.mesh import Pose, rectangle
from components.data.simulate_cameras.site import Site
from components.data.simulate_cameras.streets import (
    ASPHALT,
    BAY_DEPTH,
    BAY_WIDTH,
    GRASS,
    KERB,
    LANE_WIDTH,
    MARK,
    PAVING,
    Lane,
    along,
    flat,
)

SIDES = ("north", "east", "south", "west")


def site_of(seed: int, number: int) -> Site:
    """Return the site of a camera of a dataset.

    Args:
        seed: Seed of the dataset.
        number: Number of the camera, from 0.
    """
    rng = np.random.default_rng([seed, number])
    kind, build = KINDS[number % len(KINDS)]
    side = SIDES[(number + number // 4) % 4]
    again = f"-{number // 16 + 1}" if number >= 16 else ""
    return build(f"{side}-{kind}{again}", rng)


def _view(rng: np.random.Generator, low: float, high: float, pitch: float) -> CameraPose:
    return CameraPose(
        height=float(rng.uniform(low, high)),
        pitch=pitch + float(rng.uniform(-0.035, 0.035)),
        pan=float(rng.uniform(-0.08, 0.08)),
        focal=float(rng.uniform(440, 540)),
    )


def _either(rng: np.random.Generator) -> int:
    return 1 if rng.random() < 0.5 else -1


def car_park(name: str, rng: np.random.Generator) -> Site:
    """Build rows of bays with aisles between them, islands with trees, houses behind.

    Args:
        name: Name of the camera.
        rng: Random generator.
    """
    site = Site(name, _view(rng, 6.0, 8.5, 0.33), driving=0.22)
    frame = Pose(float(rng.uniform(-4, 4)), 9.0, float(rng.uniform(-0.32, 0.32)))
    count = int(rng.integers(9, 13))
    length = count * BAY_WIDTH
    site.ground.lay(frame, rectangle(length + 18, 62, 0, 25), KERB)
    site.ground.lay(frame, rectangle(length + 17.4, 61.4, 0, 25), ASPHALT)
    site.ground.wear(rng, flat(frame, rng.uniform((-18, -3), (18, 45), (16, 2))), 1)
    for y in (0.0, 16.8, 33.6):
        for aside, way in ((-1.5, 1), (1.5, -1)):
            start = frame.at(-way * length / 2, y + aside, 0.0 if way > 0 else pi)
            site.ground.lanes.append(Lane(start, length))
            site.ground.arrow(frame, float(rng.uniform(-6, 6)), y + aside, way)
        site.ground.row(frame.at(0, y + 3.2), count, 1)
        site.ground.row(frame.at(0, y + 13.6), count, -1)
        _islands(site, frame.at(0, y + 3.2 + BAY_DEPTH), length, rng)
        site.walks += along(frame, -length / 2, length / 2, 3.0, y + 0.4)
    for pose in along(frame, -length / 2 - 8, length / 2 + 9, 2.6, 55.5):
        site.stand(rng, pose, "hedge")
    site.street_front(rng, frame, 66)
    return site


def _islands(site: Site, frame: Pose, length: float, rng: np.random.Generator) -> None:
    for x in (-length / 2 - 1.6, length / 2 + 1.6):
        site.ground.lay(frame, rectangle(2.4, 10, x), KERB)
        site.ground.lay(frame, rectangle(2.1, 9.7, x), GRASS)
        site.stand(rng, frame.at(x, float(rng.uniform(-2, 2))), "tree", "tree", "bush")
    site.stand(rng, frame.at(float(rng.uniform(-0.3, 0.3)) * length, 0, pi / 2), "lamp")
    site.stand(rng, frame.at(float(rng.uniform(-0.4, 0.4)) * length, 0), "tree", "sign", "bollard")


def road(name: str, rng: np.random.Generator) -> Site:
    """Build a road that runs past the camera into the distance.

    Args:
        name: Name of the camera.
        rng: Random generator.
    """
    site = Site(name, _view(rng, 5.0, 7.5, 0.24), driving=0.68)
    far, slant = _either(rng), float(rng.uniform(0.38, 0.62))
    frame = Pose(0.0, float(rng.uniform(8.5, 10.0)) / sin(slant), pi / 2 - far * slant)
    site.ground.road(frame, -45, 130)
    site.ground.dashes(frame, -45, 130)
    site.ground.wear(rng, flat(frame, rng.uniform((-16, -2.4), (50, 2.4), (14, 2))), 0.2)
    site.parking_strip(frame, far)
    for pose in along(frame, -20, 90, 21.0, far * (LANE_WIDTH + 4.6)):
        site.stand(rng, pose.at(0, 0, -far * pi / 2), "lamp")
    for pose in along(frame, -14, 100, 10.5, far * (LANE_WIDTH + 7.5)):
        site.stand(rng, pose, "tree", "tree", "bush")
    for pose in along(frame, -4, 80, float(rng.uniform(9, 13)), -far * (LANE_WIDTH + 3.6)):
        site.stand(rng, pose, "tree", "bush", "sign", "bollard")
    site.furnish(rng, frame, far * (LANE_WIDTH + 4.2))
    site.walks += along(frame, -20, 70, 2.0, far * (LANE_WIDTH + 3.7))
    site.walks += along(frame, -20, 70, 2.0, -far * (LANE_WIDTH + 1.4))
    for pose in along(frame, -22, 110, 17.0, far * float(rng.uniform(17.5, 20))):
        site.build(rng, pose)
    return site


def crossing(name: str, rng: np.random.Generator) -> Site:
    """Build two roads that cross before the camera, with zebras and signals.

    Args:
        name: Name of the camera.
        rng: Random generator.
    """
    site = Site(name, _view(rng, 6.0, 8.5, 0.30), driving=0.95)
    x, y, heading = rng.uniform((-3, 20, 0.5), (3, 25, 1.07)).tolist()
    arms = [Pose(x, y, heading + quarter * pi / 2) for quarter in range(4)]
    for arm in arms[:2]:
        site.ground.road(arm, -60, 80)
    for arm in arms[:2]:
        site.ground.lay(arm, rectangle(140, 2 * LANE_WIDTH, 10), ASPHALT)
    site.ground.wear(rng, flat(arms[0], rng.uniform((-14, -2.2), (14, 2.2), (8, 2))), 0.2)
    edge = LANE_WIDTH + 2.6
    for arm in arms:
        site.ground.zebra(arm, edge + 1.2)
        site.ground.lay(arm, rectangle(0.4, LANE_WIDTH - 0.3, edge + 3.6, LANE_WIDTH / 2), MARK)
        site.ground.dashes(arm, edge + 4, 70)
        site.walks += along(arm, edge + 0.4, edge + 2.4, 0.8, float(rng.uniform(-3, 3)))
        site.walks += along(arm, edge, 30, 3.0, LANE_WIDTH + 1.2)
        site.ground.bays.append(arm.at(0, 0, float(rng.uniform(0, pi))))
        _corner(site, arm, edge, rng)
    return site


def _corner(site: Site, arm: Pose, edge: float, rng: np.random.Generator) -> None:
    """Furnish the corner on the left of an arm; the near one stays low, a far one gets houses."""
    site.stand(rng, arm.at(edge + 2.9, LANE_WIDTH + 0.7), "signal")
    home = arm.at(20, 20)
    if home.y < arm.y - 4:
        site.stand(rng, arm.at(10, 10), "bush", "bench", "bin", "sign")
        return
    site.stand(rng, arm.at(edge + 16, LANE_WIDTH + 2, -pi / 2), "lamp")
    for x, y in ((9.5, 9.5), (12, 19), (21, 11), (30, 10), (40, 11)):
        site.stand(rng, arm.at(x, y), "tree", "bush", "bench", "bin")
    if home.y > arm.y + 4:
        site.build(rng, home)
        site.build(rng, arm.at(40, 22))
        site.build(rng, arm.at(22, 40, pi / 2))


def gate(name: str, rng: np.random.Generator) -> Site:
    """Build a gate with barriers on a drive that comes towards the camera.

    Args:
        name: Name of the camera.
        rng: Random generator.
    """
    way = _either(rng)
    site = Site(name, _view(rng, 4.8, 6.8, 0.27), driving=0.62)
    x, y, slant = rng.uniform((1.0, 15, 0.05), (3.0, 19, 0.3)).tolist()
    frame = Pose(way * x, y, pi / 2 - way * slant)
    site.ground.road(frame, -30, 90, 1.8)
    site.ground.wear(rng, flat(frame, rng.uniform((-10, -2.4), (30, 2.4), (9, 2))), 0.2)
    site.ground.dashes(frame, 8, 80)
    site.ground.lay(frame, rectangle(11, 1.8), KERB)
    site.ground.lay(frame, rectangle(10.6, 1.5), PAVING)
    site.stand(rng, frame, "booth")
    for side in (1, -1):
        site.stand(rng, frame.at(side * -2.6, side * 0.1, 0 if side > 0 else pi), "boom")
        site.ground.lay(frame, rectangle(0.4, LANE_WIDTH - 0.6, side * -5.0, side * 2.0), MARK)
        for aside in np.arange(LANE_WIDTH + 3.4, 40, 2.5):
            kind = "hedge" if side > 0 else "fence"
            site.stand(rng, frame.at(0.5, side * float(aside), pi / 2), kind)
    _yard(site, frame, way, rng)
    site.walks += along(frame, -8, 50, 2.5, way * (LANE_WIDTH + 0.8))
    return site


def _yard(site: Site, frame: Pose, way: int, rng: np.random.Generator) -> None:
    """Lay the yard behind a gate: a row of bays beside the drive, lamps, houses."""
    site.ground.lay(frame, rectangle(34, 14, 24, -way * (LANE_WIDTH + 6.8)), ASPHALT)
    site.ground.row(frame.at(24, -way * (LANE_WIDTH + 2.4), 0 if way < 0 else pi), 11, 1)
    for x in (10, 30, 52):
        site.stand(rng, frame.at(x, way * (LANE_WIDTH + 2.6), -way * pi / 2), "lamp")
    for x, y in rng.uniform((-6, 8), (60, 16), (7, 2)).tolist():
        site.stand(rng, frame.at(x, way * y), "tree", "tree", "bush")
    site.furnish(rng, frame, way * (LANE_WIDTH + 2.9))
    for x in (18, 44, 70):
        for y in (way * 25.0, -way * 26.0):
            site.build(rng, frame.at(x, y))
    site.street_front(rng, Pose(0, 30), 62)


KINDS: tuple[tuple[str, Callable[[str, np.random.Generator], Site]], ...] = (
    ("gate", gate),
    ("car-park", car_park),
    ("road", road),
    ("crossing", crossing),
)
