"""Frames that are repeated, blank or missing are findings, whatever the distributions say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.monitoring.detect_drift.findings import find
from components.monitoring.detect_drift.observe import Observed, ObservedFrame, Reference
from components.shared.contracts.policy import DriftPolicy
from components.shared.contracts.report import ReferenceFrame
from components.shared.vision.descriptors import DESCRIPTORS, describe
from components.shared.vision.jpeg import encode_jpeg
from components.shared.vision.phash import hash_jpeg
from tests.support.drift_windows import shoot

POLICY = DriftPolicy()
SOUND = dict.fromkeys(DESCRIPTORS, 0.5)


def seen(number, picture=None, camera="gate", quality=90):
    """A frame of a picture, or one that looks like no other."""
    if picture is None:
        hashed = np.random.default_rng(number).integers(0, 256, 32, np.uint8).tobytes()
        return ObservedFrame(f"{number:064x}", camera, (), SOUND, hashed)
    hashed = hash_jpeg(encode_jpeg(picture, quality)).tobytes()
    return ObservedFrame(f"{number:064x}", camera, (), describe(picture, ()), hashed)


def window(frames, **counts):
    counts = {"served": len(frames), "answers": len(frames)} | counts
    return Observed("d" * 64, "yard", "a" * 64, DESCRIPTORS, tuple(frames), **counts)


def reference(cameras, frames=10):
    return Reference("a" * 64, tuple(
        ReferenceFrame(sha256="0" * 64, camera=camera, boxes=(), descriptors=SOUND)
        for camera in cameras
        for _ in range(frames)
    ))  # fmt: skip


def found(current, cameras=("gate",)):
    return [(it.kind, it.detail) for it in find(reference(cameras), current, POLICY)]


def road(seed=0):
    picture = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.kron(picture, np.ones((16, 16, 1), np.uint8))


def test_frames_that_are_all_different_are_no_finding():
    assert found(window([seen(number) for number in range(200)])) == []


def test_two_hundred_answers_about_the_same_frame_are_a_finding():
    assert found(window([seen(0)], answers=200)) == [
        ("repeated", "200 predictions are of one and the same frame")
    ]


def test_one_picture_saved_two_hundred_times_is_a_finding():
    frames = [seen(number, road(), quality=60 + number % 40) for number in range(200)]

    ((kind, detail),) = found(window(frames))

    assert kind == "repeated"
    assert detail.startswith("199 of 200 frames show the same image as another frame (most of")


def test_one_frozen_camera_among_others_is_named():
    frames = [seen(number, camera="north") for number in range(180)]
    frames += [seen(200 + number, road(), camera="south") for number in range(20)]

    ((kind, detail),) = found(window(frames), ("north", "south"))

    assert kind == "repeated"
    assert "19 of 200 frames" in detail
    assert "camera south" in detail


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_black_grey_and_white_frames_are_a_finding_and_no_repeats(grey):
    empty = np.full((64, 64, 3), grey, np.uint8)
    frames = [seen(number) for number in range(100)]
    frames += [seen(200 + number, empty, camera="yard") for number in range(20)]

    assert found(window(frames)) == [
        ("blank", "20 of 120 frames are uniformly black, grey or white (yard)")
    ]


def test_cameras_that_sent_nothing_are_a_finding_if_enough_frames_came():
    cameras = [f"camera-{number:02}" for number in range(18)]
    frames = [seen(number, camera="camera-00") for number in range(200)]

    ((kind, detail),) = found(window(frames), cameras)

    assert kind == "cameras_gone"
    assert detail == (
        "17 of 18 cameras of the reference sent no frame "
        "(camera-01, camera-02, camera-03, and 14 more)"
    )
    assert found(window(frames[:20]), cameras) == []


def test_cameras_of_other_names_are_not_called_silent():
    assert found(window([seen(n, camera="new") for n in range(200)]), ("old", "older")) == []


def test_a_window_with_deleted_pictures_says_so():
    assert found(window([seen(number) for number in range(30)], gone=3)) == [
        ("pictures_gone", "3 frames are left out: the images are deleted")
    ]


def test_nothing_is_said_of_the_frames_of_a_snapshot():
    frames = tuple(seen(number, road()) for number in range(200))
    snapshot = Observed("d" * 64, "yard", None, DESCRIPTORS, frames)

    assert found(snapshot) == []


def test_the_frames_of_a_lively_camera_are_no_repeats():
    shots = [shoot(number) for number in range(60)]
    frames = [
        ObservedFrame(it.sha256, it.camera, it.boxes, SOUND, hash_jpeg(it.jpeg).tobytes())
        for it in shots
    ]

    assert found(window(frames), ("camera-0", "camera-1")) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["new", "again", "blank"]), max_size=40), st.randoms())
def test_the_order_of_the_frames_does_not_matter(kinds, random):
    pictures = {"new": None, "again": road(), "blank": np.zeros((64, 64, 3), np.uint8)}
    frames = [seen(number, pictures[kind]) for number, kind in enumerate(kinds)]
    shuffled = random.sample(frames, len(frames))

    assert found(window(frames)) == found(window(shuffled))
