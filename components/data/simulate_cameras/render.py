"""Render a scene from far to near, and compute the box of every car from the same corners."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from components.data.simulate_cameras.camera import HEIGHT, WIDTH, CameraPose, Points, on_ground
from components.data.simulate_cameras.car import car_mesh
from components.data.simulate_cameras.conditions import Light
from components.data.simulate_cameras.cutout import Cutout, cutout
from components.data.simulate_cameras.develop import develop
from components.data.simulate_cameras.mesh import Pose, rectangle
from components.data.simulate_cameras.paint import FINE, Canvas, faces_eye, paint_mesh
from components.data.simulate_cameras.scene import Car, Scene, amodal_box, clip
from components.data.simulate_cameras.shapes import SHAPES
from components.data.simulate_cameras.stage import Stage
from components.shared.contracts.annotation import Box

MIN_VISIBLE_SHARE = 0.3  # of a car's pixels; cars that are hidden more are left out
LABEL = "car"
TRIM = {
    "glass": (34, 40, 48), "tyre": (24, 24, 26), "rim": (150, 152, 156), "hub": (64, 64, 66),
    "arch": (18, 18, 20), "under": (14, 14, 15), "trim": (40, 40, 42), "grille": (26, 26, 28),
    "plate": (222, 222, 206), "head": (226, 229, 232), "tail": (164, 24, 26),
    "mirror": (40, 40, 44), "bed": (44, 44, 46),
}  # fmt: skip
COLOURS = {role: np.array(colour, float) for role, colour in TRIM.items()}
SHADOW = (22, 24, 32)
HEADLAMP, TAILLAMP, WINDOW = (255, 246, 222), (235, 34, 24), (236, 190, 112)


def render(
    stage: Stage, scene: Scene, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], tuple[Box, ...]]:
    """Return a photograph `[H, W, 3]` of a scene, and the box of every car in it.

    A box holds the whole car as far as it is in the frame, also what something nearer
    hides. A car of which hardly anything is seen is taken out of the scene.

    Args:
        stage: Where.
        scene: Who is there, in what light.
        rng: Of the clouds, the drops and the noise.
    """
    canvas, seen = paint(stage, scene)
    if min(seen, default=1.0) < MIN_VISIBLE_SHARE:
        kept = [
            car for car, share in zip(scene.cars, seen, strict=True) if share >= MIN_VISIBLE_SHARE
        ]
        scene = replace(scene, cars=tuple(kept))
        canvas, seen = paint(stage, scene)
    return develop(canvas, stage, scene, rng), tuple(box_of(stage, car) for car in scene.cars)


def box_of(stage: Stage, car: Car) -> Box:
    """Return the box of a car, clipped to the frame.

    Args:
        stage: The background.
        car: The car.
    """
    x_min, y_min, x_max, y_max = clip(amodal_box(stage, car)).round(2).tolist()
    return Box(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max, label=LABEL)


def paint(stage: Stage, scene: Scene) -> tuple[Canvas, list[float]]:
    """Paint a whole scene, and return the visible share of each car, 0 to 1.

    Args:
        stage: The background.
        scene: Cars, people and light.
    """
    canvas = Canvas(stage.backdrop.copy())
    others = [cut for thing in scene.others if (cut := cutout(stage.view, thing))]
    standing: list[Cutout | Car] = [*stage.cutouts, *others, *scene.cars]
    standing.sort(key=lambda one: -one.distance)
    _cast_shadows(canvas, stage, scene, others)
    _light_windows(canvas, stage, scene.light)
    whole: dict[Car, tuple[int, int]] = {}
    for mark, one in enumerate(standing, start=1):
        if isinstance(one, Car):
            _paint_car(canvas, stage.view, one, scene.light, mark)
            whole[one] = mark, _pixels(canvas, stage, one, mark)
        else:
            canvas.stamp(one.image, one.shape, one.left, one.top, mark)
            _light_lamp(canvas, stage.view, one, scene.light, mark)
    return canvas, [
        _pixels(canvas, stage, car, whole[car][0]) / max(whole[car][1], 1) for car in scene.cars
    ]


def _pixels(canvas: Canvas, stage: Stage, car: Car, mark: int) -> int:
    box = clip(amodal_box(stage, car)).round().astype(int).tolist()
    return int(np.count_nonzero(np.asarray(canvas.marks.crop(box)) == mark))


def _paint_car(canvas: Canvas, view: CameraPose, car: Car, light: Light, mark: int) -> None:
    mesh, fill = car_mesh(car.kind), partial(canvas.fill, mark=mark)
    pixels = paint_mesh(fill, view, mesh, car.pose, {**COLOURS, "paint": car.paint}, light)
    if not car.lit:
        return
    facing = faces_eye(view, mesh, car.pose)
    for face, role in enumerate(mesh.roles):
        if role in ("head", "tail") and facing[face]:
            corners = pixels[mesh.starts[face] : mesh.starts[face + 1]]
            colour = HEADLAMP if role == "head" else TAILLAMP
            radius = (0.16 if role == "head" else 0.07) * view.focal / car.distance
            canvas.light(corners, colour, mark, radius)


def _light_lamp(canvas: Canvas, view: CameraPose, cut: Cutout, light: Light, mark: int) -> None:
    if cut.thing.lamp is None or light.lamps < 0.05:
        return
    (head,), depth = view.project(cut.thing.lamp[None])
    colour = tuple(int(light.lamps * value) for value in (255, 214, 150))
    radius = max(0.22 * view.focal / float(depth[0]), 1.0)
    canvas.light(head + rectangle(radius, radius), colour, mark, radius)


def _light_windows(canvas: Canvas, stage: Stage, light: Light) -> None:
    colour = tuple(int(min(1.2 * light.lamps, 1) * value) for value in WINDOW)
    for corners in stage.windows if light.lamps > 0.1 else ():
        canvas.light(corners, colour, 0, 0.0)


def _cast_shadows(canvas: Canvas, stage: Stage, scene: Scene, others: Sequence[Cutout]) -> None:
    """Darken the ground behind everything that the sun shines on, and under every car."""
    sheet = Image.new("L", (WIDTH, HEIGHT))
    pen, light = ImageDraw.Draw(sheet), scene.light
    if light.direct > 0.1:
        deep = int(150 * light.direct)
        for thing in (*stage.site.things, *(other.thing for other in others)):
            _shade(pen, stage.view, thing.pose, *thing.shadow, light.sun, deep)
        for car in scene.cars:
            _shade(pen, stage.view, car.pose, *_bulk(car), light.sun, deep)
    for car in scene.cars:
        shape = SHAPES[car.kind]
        for grow, deep in ((0.35, 90), (0.0, 190)):
            under = rectangle(shape.length + grow, shape.width + grow)
            pixels = stage.view.outline(car.pose.place(on_ground(under)))
            pen.polygon(pixels.ravel().tolist(), fill=deep)
    soft = ImageChops.multiply(sheet, stage.open_ground).filter(ImageFilter.BoxBlur(1.7))
    top = int(np.clip(stage.view.horizon, 0, HEIGHT - 1))
    low = soft.crop((0, top, WIDTH, HEIGHT))
    # the canvas is shrunk again in the end, so that finer steps would not be seen
    wide = low.resize((WIDTH * FINE, (HEIGHT - top) * FINE), Image.Resampling.NEAREST)
    canvas.picture.paste(SHADOW, (0, top * FINE), wide)


def _bulk(car: Car) -> tuple[Points, float, float]:
    shape = SHAPES[car.kind]
    return rectangle(shape.length - 0.3, shape.width - 0.1), 0.0, shape.height * 0.86


def _shade(
    pen: ImageDraw.ImageDraw,
    view: CameraPose,
    pose: Pose,
    base: Points,
    low: float,
    high: float,
    sun: Points,
    deep: int,
) -> None:
    """Draw the shadow of an upright prism: its floor, its roof, and what lies between."""
    away = -sun[:2] / max(float(sun[2]), 0.12)
    foot = pose.place(on_ground(base))
    aside = np.array((*away, 0.0))
    near, far = foot + aside * low, foot + aside * high
    corners, depth = view.project(np.concatenate([near, far]))
    if depth.min() < 1.0 or depth.min() > 90:
        return
    start, end = corners[: len(base)], corners[len(base) :]
    for polygon in (start, end):
        pen.polygon(polygon.ravel().tolist(), fill=deep)
    for i in range(len(base)):
        side = np.array([start[i - 1], start[i], end[i], end[i - 1]])
        pen.polygon(side.ravel().tolist(), fill=deep)
