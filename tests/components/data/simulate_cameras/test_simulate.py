from datetime import date

import numpy as np
import pytest

from components.data.simulate_cameras.conditions import light_of
from components.data.simulate_cameras.places import site_of
from components.data.simulate_cameras.render import box_of
from components.data.simulate_cameras.scene import scene_on
from components.data.simulate_cameras.simulate import SimulatorConfig, draw, drawn, shots
from components.data.simulate_cameras.stage import stage_of
from components.shared.contracts.errors import UserError

SMALL = SimulatorConfig(frames=3, cameras=2, days=1)


class KeptFrames:
    """A sender that is a list."""

    def __init__(self):
        self.declared, self.frames = [], []

    def declare(self, classes, time):
        self.declared.append((classes, time))

    def send(self, frame):
        self.frames.append(frame)


@pytest.fixture(scope="module")
def scenes():
    """Some hundred scenes of all cameras: who stands where, not painted."""
    found = []
    for camera in range(8):
        stage, rng = stage_of(0, camera, 0), np.random.default_rng(camera)
        light = light_of("day", 12.0, rng)
        found += [(stage, scene_on(stage, light, rng)) for _ in range(20)]
    return found


def test_frames_are_spread_evenly_over_cameras_and_days():
    config = SimulatorConfig(frames=50, cameras=4, days=3)
    counts = {(s.day, s.camera): s.of for s in shots(config)}

    assert len(shots(config)) == 50
    assert set(counts.values()) == {4, 5}


def test_the_same_settings_give_the_same_bytes():
    first, second = ([frame.jpeg for frame in drawn(SMALL)] for _ in range(2))

    assert first == second


def test_another_seed_is_another_town():
    other = SimulatorConfig(frames=3, cameras=2, days=1, seed=1)

    assert draw(SMALL, shots(SMALL)[0]).jpeg != draw(other, shots(other)[0]).jpeg


def test_a_frame_is_the_same_whoever_draws_it_and_when():
    """Whether two processes share the work or one does all of it."""
    many = SimulatorConfig(frames=26, cameras=1, days=2)
    frames = list(drawn(many))

    assert [frames[at] for at in (0, 25)] == [draw(many, shots(many)[at]) for at in (0, 25)]


def test_a_day_is_the_same_whatever_day_the_stream_begins():
    later = SimulatorConfig(frames=2, cameras=1, days=1, first_day=date(2026, 1, 6))
    longer = SimulatorConfig(frames=4, cameras=1, days=2)

    assert draw(longer, shots(longer)[2]) == draw(later, shots(later)[0])


def test_a_group_is_a_camera_on_a_day():
    assert {frame.group for frame in drawn(SMALL)} == {
        "north-gate/2026-01-05",
        "east-car-park/2026-01-05",
    }


def test_frames_without_labels_say_nothing_of_boxes():
    unlabelled = SimulatorConfig(frames=1, cameras=1, days=1, labelled=False)

    assert [frame.boxes for frame in drawn(unlabelled)] == [None]


def test_each_camera_has_a_name_of_its_own():
    assert len({site_of(0, number).name for number in range(40)}) == 40


def test_no_scene_is_too_full_to_count_and_some_are_empty(scenes):
    counts = np.array([len(scene.cars) for _, scene in scenes])

    assert counts.max() <= 12
    assert 4 <= counts.mean() <= 6.5
    assert 0.01 <= (counts == 0).mean() <= 0.12


def test_small_cars_are_not_rare(scenes):
    boxes = [box_of(stage, car) for stage, scene in scenes for car in scene.cars]
    sides = np.array([((b.x_max - b.x_min) * (b.y_max - b.y_min)) ** 0.5 for b in boxes])

    assert 0.08 <= (sides < 16).mean() <= 0.2
    assert sides.min() >= 10


def test_no_two_cars_stand_in_the_same_place(scenes):
    for _, scene in scenes:
        places = np.array([(car.pose.x, car.pose.y) for car in scene.cars]).reshape(-1, 2)
        apart = np.hypot(*(places[:, None] - places[None]).T) + 9 * np.eye(len(places))
        assert apart.min(initial=9) > 2.1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"first_day": "monday"}, "first_day is 'monday', expected a date"),
        ({"conditions": "fog"}, "condition is 'fog'"),
        ({"frames": 0}, "frames is 0, expected at least 1"),
        ({"seed": -1}, "seed is -1, expected at least 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes, complaint):
    asked = {"frames": 1, "cameras": 1, "days": 1, "first_day": "2026-01-05", "conditions": "day"}

    with pytest.raises(UserError, match=complaint):
        SimulatorConfig.of(**{**asked, "seed": 0, "labelled": True, **changes})
