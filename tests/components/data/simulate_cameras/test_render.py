"""One stage, a few scenes; what is measured over many frames is measured without paint."""

from dataclasses import replace

import numpy as np
import pytest

from components.data.simulate_cameras.camera import HEIGHT, WIDTH
from components.data.simulate_cameras.conditions import CONDITIONS, HOURS, light_of
from components.data.simulate_cameras.mesh import Pose
from components.data.simulate_cameras.render import box_of, paint, render
from components.data.simulate_cameras.scene import Car, Scene, scene_on
from components.data.simulate_cameras.stage import stage_of

DAY = light_of("day", 10.0, np.random.default_rng(0))
RED = np.array([200.0, 20.0, 20.0])


@pytest.fixture(scope="module")
def stage():
    return stage_of(0, 1, 0)


def car(x=0.0, y=20.0, heading=0.3, kind="sedan", lit=False):
    return Car(kind, Pose(x, y, heading), RED, lit)


def scene(*cars, light=DAY):
    return Scene(light, cars, ())


def photograph(stage, seen, seed=0):
    return render(stage, seen, np.random.default_rng(seed))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_gives_a_whole_photograph(stage, condition):
    rng = np.random.default_rng(4)
    light = light_of(condition, HOURS[condition][0], rng)
    picture, boxes = render(stage, scene_on(stage, light, rng), rng)

    assert (picture.shape, picture.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    assert picture.std() > 3
    assert all(0 <= b.x_min < b.x_max <= WIDTH and 0 <= b.y_min < b.y_max <= HEIGHT for b in boxes)


def test_an_empty_scene_has_no_boxes(stage):
    assert photograph(stage, scene())[1] == ()


def test_a_box_holds_its_car_and_nothing_else(stage):
    one, bare = car(-6.0, 15.0, 0.0), replace(stage, cutouts=())
    canvas, _ = paint(bare, scene(one))
    rows, columns = np.nonzero(np.asarray(canvas.marks))
    box = box_of(stage, one)

    assert columns.min() == pytest.approx(box.x_min, abs=1.5)
    assert columns.max() + 1 == pytest.approx(box.x_max, abs=1.5)
    assert rows.min() == pytest.approx(box.y_min, abs=1.5)
    assert rows.max() + 1 == pytest.approx(box.y_max, abs=1.5)


def test_a_car_behind_another_is_seen_less(stage):
    behind, before = car(0, 24, 0.0), car(0, 20, 0.0, kind="van")
    _, (alone,) = paint(stage, scene(behind))
    _, (hidden, _) = paint(stage, scene(behind, before))

    assert hidden < alone


def test_a_car_that_nobody_sees_gets_no_box(stage):
    hidden, before = car(0, 14.5, 0.0, kind="city car"), car(0, 12.5, 0.0, kind="van")
    (_, boxes), (_, only) = (photograph(stage, scene(*c)) for c in ((hidden, before), (before,)))

    assert len(boxes) == 1
    assert boxes == only


def test_a_car_at_the_edge_is_cut_off_there(stage):
    reach = stage.view.ground(np.array([0.0]), np.array([300.0]))
    box = box_of(stage, car(float(reach[0][0]), float(reach[1][0]), 0.0))

    assert box.x_min == 0


def test_headlights_light_the_night(stage):
    night = light_of("night", 21.0, np.random.default_rng(0))
    dark, lit = (
        photograph(stage, scene(car(heading=-1.5, lit=lit), light=night))[0]
        for lit in (False, True)
    )

    assert int(lit.max()) > 240
    assert lit.mean() > dark.mean()


def test_the_same_seed_is_the_same_photograph(stage):
    first, second = (photograph(stage, scene(car()), seed=7)[0] for _ in range(2))

    assert (first == second).all()
