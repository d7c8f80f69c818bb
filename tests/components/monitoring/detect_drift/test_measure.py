import numpy as np
import pytest

from components.monitoring.detect_drift.measure import measure
from components.monitoring.detect_drift.observe import Observed, ObservedFrame, Reference
from components.shared.contracts.policy import DriftPolicy
from components.shared.contracts.report import ReferenceFrame
from components.shared.vision.descriptors import DESCRIPTORS, PICTURE

MODEL, OTHER = "a" * 64, "b" * 64
SHA = "0" * 64
COUNT = len(DESCRIPTORS)


class World:
    """Cameras that are unlike, and days that are, with descriptors of deviation 1 in a day."""

    def __init__(self, seed, between_cameras=1.5, between_days=0.5):
        self.random = np.random.default_rng(seed)
        self.views = self.random.normal(0, between_cameras, (40, COUNT))
        self.between_days = between_days

    def day(self, cameras, frames, shift=0.0):
        """Return camera and descriptors of the frames of one day."""
        rows = []
        for camera in cameras:
            light = self.random.normal(0, self.between_days, COUNT)
            values = self.views[camera] + light + self.random.normal(0, 1, (frames, COUNT))
            rows += [
                (f"camera-{camera}", dict(zip(DESCRIPTORS, row, strict=True)))
                for row in values + shift
            ]
        return rows


def reference(rows, model=MODEL):
    return Reference(
        model,
        tuple(ReferenceFrame(sha256=SHA, camera=c, boxes=(), descriptors=d) for c, d in rows),
    )


def window(rows, model=MODEL, names=DESCRIPTORS):
    frames = tuple(ObservedFrame(SHA, camera, (), descriptors) for camera, descriptors in rows)
    return Observed("d" * 64, "yard", model, names, frames)


def compare(before, after, **policy):
    return measure(reference(before), window(after), DriftPolicy(**policy))


def alarms(trials, cameras, shift=0.0, between_days=0.5):
    """Return the share of windows in which a drift is claimed."""
    claimed = 0
    for seed in range(trials):
        world = World(seed, between_days=between_days)
        before = world.day(range(cameras), 120 // cameras)
        after = world.day(range(cameras), 60 // cameras, shift)
        claimed += compare(before, after, resamples=150).changed
    return claimed / trials


@pytest.mark.parametrize("cameras", [1, 2, 4, 6, 12])
def test_of_a_hundred_windows_of_the_same_world_one_at_most_is_called_different(cameras):
    assert alarms(100, cameras) <= 0.01


@pytest.mark.parametrize("cameras", [4, 8])
def test_days_as_unlike_as_the_frames_of_a_day_raise_no_alarm(cameras):
    assert alarms(100, cameras, between_days=1.0) <= 0.01


@pytest.mark.parametrize("cameras", [1, 2, 4, 6, 12])
def test_a_strong_shift_is_always_found(cameras):
    assert alarms(20, cameras, shift=6.0) == 1


def test_a_window_of_the_reference_itself_is_no_drift():
    rows = World(1).day(range(4), 20)
    report = compare(rows, rows)

    assert (report.enough, report.changed, report.drifted) == (True, False, ())
    assert set(report.distances.values()) == {0.0}


def test_the_reason_holds_the_numbers():
    world = World(1)
    before, after = world.day(range(4), 20), world.day(range(4), 20)
    for _, descriptors in after:
        descriptors["brightness"] -= 20
        descriptors["contrast"] -= 30
    report = compare(before, after)

    assert report.changed
    assert set(report.drifted) == {"brightness", "contrast"}
    assert report.reason.startswith("2 of 12 descriptors drifted: ")
    assert "brightness median fell from " in report.reason
    assert "(KS 1.00, threshold 0." in report.reason


def test_a_median_that_rounds_to_itself_is_no_change():
    rows = World(1).day(range(4), 20)
    moved = [(camera, {name: v + 1e-6 for name, v in row.items()}) for camera, row in rows]

    reason = compare(rows, moved).reason

    assert " median stayed at " in reason
    assert "rose" not in reason


def test_one_descriptor_alone_is_named_but_is_no_drift():
    world = World(1)
    before, after = world.day(range(4), 20), world.day(range(4), 20)
    for _, descriptors in after:
        descriptors["noise"] += 30
    report = compare(before, after)

    assert report.drifted == ("noise",)
    assert not report.changed
    assert "1 of 12 descriptors drifted, expected at least 2 for a drift" in report.reason


def test_the_order_of_the_frames_does_not_matter():
    world = World(3)
    before, after = world.day(range(4), 20), world.day(range(4), 20, shift=1.0)

    assert compare(before, after).distances == compare(before[::-1], after[::-1]).distances


def test_too_few_frames_claim_nothing():
    world = World(1)
    report = compare(world.day(range(4), 20), world.day([0], 19, shift=50))

    assert (report.enough, report.changed, report.distances) == (False, False, {})
    assert report.reason.startswith("19 frames served, expected 20 or more")


def test_a_reference_of_too_few_frames_claims_nothing():
    world = World(1)

    assert "5 frames in the reference" in compare(world.day([0], 5), world.day([0], 50)).reason


def test_without_a_champion_there_is_nothing_to_compare_with():
    nothing = Reference(None, (), "no model of yard is in service")
    report = measure(nothing, window([]), DriftPolicy())

    assert report.reason == "nothing to compare with: no model of yard is in service"
    assert (report.model, report.enough) == (None, False)


def test_answers_of_a_model_that_serves_no_longer_are_not_compared():
    rows = World(1).day(range(4), 20)
    report = measure(reference(rows), window(rows, model=OTHER), DriftPolicy())

    assert not report.enough
    assert "served by model bbbbbbbbbbbb, but the champion is aaaaaaaaaaaa now" in report.reason


def test_frames_of_cameras_that_the_reference_does_not_know_are_left_out_aloud():
    world = World(1)
    before = world.day([0, 1], 30)
    report = compare(before, [*before, *world.day([7], 30, shift=50)])

    assert not report.changed
    assert report.reason.endswith("30 frames are left out: their cameras are not in the reference")


def test_a_few_cameras_cannot_tell_a_new_view_from_a_change():
    world = World(1)
    report = compare(world.day([0, 1], 30), world.day([7, 8], 30))

    assert not report.enough
    assert "whose 2 cameras are too few to tell a new view from drift" in report.reason


def test_many_cameras_can_judge_a_new_one():
    world = World(1)
    before, after = world.day(range(10), 12), world.day(range(20, 30), 6)
    dark = world.day(range(20, 30), 6, shift=8)

    assert [compare(before, rows).changed for rows in (after, dark)] == [False, True]


def test_of_labelled_frames_the_pictures_alone_are_compared():
    rows = World(1).day(range(4), 20)
    report = measure(reference(rows), window(rows, None, PICTURE), DriftPolicy())

    assert set(report.distances) == set(PICTURE)
