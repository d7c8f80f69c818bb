"""Place cars and people at random on a stage for one frame."""

from dataclasses import dataclass

import numpy as np

from components.data.simulate_cameras.camera import HEIGHT, WIDTH, Points, on_ground
from components.data.simulate_cameras.car import car_mesh
from components.data.simulate_cameras.conditions import Light
from components.data.simulate_cameras.mesh import Pose
from components.data.simulate_cameras.shapes import SHAPES
from components.data.simulate_cameras.stage import Stage
from components.data.simulate_cameras.streets import flat
from components.data.simulate_cameras.things import Thing, sprite

PAINTS: tuple[tuple[tuple[int, int, int], float], ...] = (
    ((224, 225, 224), 4), ((186, 190, 194), 3), ((120, 124, 130), 2), ((38, 40, 44), 3),
    ((176, 30, 34), 2), ((40, 74, 150), 2), ((28, 42, 78), 1.2), ((96, 144, 190), 0.8),
    ((44, 88, 62), 0.7), ((190, 170, 132), 0.7), ((226, 184, 40), 0.6), ((206, 92, 36), 0.5),
    ((108, 70, 50), 0.4), ((122, 36, 52), 0.6),
)  # fmt: skip
EMPTY = 0.05  # the share of frames in which nobody looks for a place
BUSY = 5.6  # cars that look for a place in a frame, on average
MIN_SIDE_PX = 10.5  # the root of a box's area; smaller cars are left out
MIN_INSIDE_SHARE = 0.32  # of a box, in the frame
MAX_COVERED_SHARE = 0.55  # of a box, by the boxes of nearer cars
TRIES = 16  # places that a car looks at before it gives up
NEARBY = 20.0  # metres: a quarter of the cars looks for a place here
FAR = 105.0  # metres: beyond, cars would be specks
GAP = 2.15  # metres between the circles that a car is made of


@dataclass(frozen=True, eq=False)
class Car:
    """One car: its kind, its position, its paint, and whether its lights are on."""

    kind: str
    pose: Pose
    paint: Points
    lit: bool

    @property
    def distance(self) -> float:
        """From the camera, in metres along the ground."""
        return float(np.hypot(self.pose.x, self.pose.y))

    @property
    def circles(self) -> Points:
        """`[3, 2]`: the middles of three circles that cover it."""
        reach = SHAPES[self.kind].length / 2 - 0.8
        return flat(self.pose, np.array([[-reach, 0], [0, 0], [reach, 0]]))


@dataclass(frozen=True, eq=False)
class Scene:
    """Cars and people of one frame, and its light."""

    light: Light
    cars: tuple[Car, ...]
    others: tuple[Thing, ...]


def scene_on(stage: Stage, light: Light, rng: np.random.Generator) -> Scene:
    """Place cars and people on a stage.

    Args:
        stage: Background of the camera on this day.
        light: Light of the hour and weather.
        rng: Random generator.
    """
    wanted = 0 if rng.random() < EMPTY else int(np.clip(rng.poisson(BUSY), 1, 12))
    cars: list[Car] = []
    boxes: list[Points] = []
    for _ in range(5 * wanted):
        car = _any_car(stage, light, rng)
        box = amodal_box(stage, car)
        if len(cars) < wanted and _fits(stage, car, box, cars, boxes):
            cars.append(car)
            boxes.append(box)
    return Scene(light, tuple(cars), tuple(_others(stage, cars, rng)))


def amodal_box(stage: Stage, car: Car) -> Points:
    """Return x_min, y_min, x_max, y_max `[4]` of a whole car, also outside the frame.

    Args:
        stage: Background of the camera on this day.
        car: The car.
    """
    pixels, depth = stage.view.project(car.pose.place(car_mesh(car.kind).points))
    if depth.min() < 1.0:
        return np.full(4, np.nan)
    return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])


def clip(box: Points) -> Points:
    """Return the part of a box inside the frame; its area may be zero."""
    return np.clip(box, 0, (WIDTH, HEIGHT, WIDTH, HEIGHT))


def _any_car(stage: Stage, light: Light, rng: np.random.Generator) -> Car:
    kinds = list(SHAPES)
    shares = np.array([SHAPES[kind].share for kind in kinds])
    paints = np.array([share for _, share in PAINTS])
    paint = np.array(PAINTS[rng.choice(len(PAINTS), p=paints / paints.sum())][0], float)
    driving = bool(rng.random() < stage.site.driving)
    return Car(
        kind=str(rng.choice(kinds, p=shares / shares.sum())),
        pose=_on_the_road(stage, rng) if driving else _parked(stage, rng),
        paint=np.clip(paint * rng.uniform(0.88, 1.08), 0, 245),
        lit=bool(rng.random() < (light.headlights if driving else 0.05 * light.headlights)),
    )


def _on_the_road(stage: Stage, rng: np.random.Generator) -> Pose:
    lane = stage.site.ground.lanes[int(rng.integers(len(stage.site.ground.lanes)))]
    ahead = rng.uniform(0, lane.length, TRIES)
    places = flat(lane.start, np.stack([ahead, np.zeros(TRIES)], axis=1))
    x = float(ahead[_first_in_view(stage, places, rng)])
    return lane.start.at(x, float(rng.normal(0, 0.18)), float(rng.normal(0, 0.03)))


def _parked(stage: Stage, rng: np.random.Generator) -> Pose:
    every = stage.site.ground.bays
    bays = [every[int(number)] for number in rng.integers(len(every), size=TRIES)]
    bay = bays[_first_in_view(stage, np.array([[bay.x, bay.y] for bay in bays]), rng)]
    backwards = np.pi if rng.random() < 0.35 else 0.0
    turn = backwards + float(rng.normal(0, 0.035))
    return bay.at(float(rng.normal(0, 0.25)), float(rng.normal(0, 0.12)), turn)


def _first_in_view(stage: Stage, places: Points, rng: np.random.Generator) -> int:
    """Return the first of some places that is in the frame or just beside it, else 0."""
    pixels, depth = stage.view.project(on_ground(places))
    margin = 2.0 * stage.view.focal / np.maximum(depth, 1)
    column, row = pixels.T
    far = NEARBY if rng.random() < 0.24 else FAR
    inside = (depth > 3) & (column > -margin) & (column < WIDTH + margin)
    inside &= (row < HEIGHT + margin) & (depth < far)
    return int(np.argmax(inside))


def _fits(stage: Stage, car: Car, box: Points, cars: list[Car], boxes: list[Points]) -> bool:
    seen = clip(box)
    if not _area(seen) >= max(MIN_SIDE_PX**2, MIN_INSIDE_SHARE * _area(box)):
        return False
    if any(_closest(car.circles, other.circles) < GAP for other in cars):
        return False
    if any(
        _closest(car.circles, _foot(cut.thing)) < 1.2 for cut in stage.cutouts if cut.thing.mesh
    ):
        return False
    if any(_hides(thing, car) for thing in stage.site.things if thing.solid):
        return False
    return all(
        _covered(*((seen, clip(box_)) if car.distance > other.distance else (clip(box_), seen)))
        < MAX_COVERED_SHARE
        for other, box_ in zip(cars, boxes, strict=True)
    )


def _area(box: Points) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _covered(behind: Points, before: Points) -> float:
    sides = np.minimum(behind[2:], before[2:]) - np.maximum(behind[:2], before[:2])
    return float(np.prod(np.maximum(sides, 0))) / max(_area(behind), 1.0)


def _closest(first: Points, second: Points) -> float:
    apart = first[:, None] - second[None]
    return float(np.sqrt((apart**2).sum(axis=2).min()))


def _foot(thing: Thing) -> Points:
    return np.array([[thing.pose.x, thing.pose.y]])


def _hides(house: Thing, car: Car) -> bool:
    """Return whether the line of sight to a car passes through a house."""
    sight = np.linspace(0.3, 1, 40)[:, None] * (car.pose.x, car.pose.y)
    away = sight - (house.pose.x, house.pose.y)
    own = away @ house.pose.rotation[:2, :2].T
    reach = np.abs(house.shadow[0]).max(axis=0) + 0.5
    return bool((np.abs(own) < reach).all(axis=1).any())


def _others(stage: Stage, cars: list[Car], rng: np.random.Generator) -> list[Thing]:
    """Return people and riders who are in nobody's way."""
    found = []
    for _ in range(int(rng.poisson(2.2))):
        walk = stage.site.walks[int(rng.integers(len(stage.site.walks)))]
        place = np.array([[walk.x, walk.y]]) + rng.normal(0, 0.5, (1, 2))
        if all(_closest(place, car.circles) > 1.9 for car in cars):
            kind = "bicycle" if rng.random() < 0.2 else "person"
            found.append(sprite(kind, Pose(*place[0].tolist()), rng))
    return found
