"""A checkpoint gives back what it was given, or nothing at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.store.objects import Objects
from components.training.train_detector.learning.checkpoint import Checkpoints, decode, encode
from components.training.train_detector.learning.state import BestWeights, TrainingState
from components.training.train_detector.plan.history import Epoch

LINE = Epoch(
    epoch=1, loss=0.1 + 0.2, class_loss=1 / 3, box_loss=0, distance_loss=1e-30,
    learning_rate=0.003, map50=0.7,
)  # fmt: skip
LOSSES = [np.float32([0.1, 2, 3]), np.float32([np.nan, 5, 6])]
STATE = {"weights": np.float32([1, -0.0, 1e-40]), "scale": np.array(2.0**15, np.float32)}


def a_state(best=()):
    return TrainingState(2, 3, list(LOSSES), BestWeights(list(best), 1, 1 / 7, [LINE]))


def test_what_was_kept_comes_back():
    best = [np.float32([[1, 2]]), np.float32([3])]
    state, variables = decode(encode(a_state(best), STATE))

    assert (state.epoch, state.step, state.outcome.best_epoch) == (2, 3, 1)
    assert (state.outcome.map50, state.outcome.history) == (1 / 7, [LINE])
    assert [one.tobytes() for one in state.losses] == [one.tobytes() for one in LOSSES]
    assert [one.tobytes() for one in state.outcome.weights] == [one.tobytes() for one in best]
    assert {name: one.tobytes() for name, one in variables.items()} == {
        name: one.tobytes() for name, one in STATE.items()
    }


def test_a_training_that_has_just_begun_comes_back():
    state, _ = decode(encode(TrainingState(), {}))

    assert state == TrainingState()


@given(st.data())
def test_a_torn_checkpoint_is_none(data):
    whole = encode(a_state(), STATE)
    cut = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[cut] ^= data.draw(st.integers(1, 255))

    assert decode(whole[:cut]) is None
    assert decode(bytes(flipped)) is None


def test_later_steps_do_not_change_what_was_encoded():
    state, held = a_state(), {"weights": np.float32([1, 2])}
    content = encode(state, held)
    state.add_step(LOSSES[0])
    state.close_epoch(LINE, [])
    held["weights"][:] = 7
    then, variables = decode(content)

    assert (then.epoch, then.step, len(then.losses), len(then.outcome.history)) == (2, 3, 2, 1)
    assert then.outcome.best_epoch == 1
    assert variables["weights"].tolist() == [1, 2]


@pytest.fixture
def checkpoints(object_store):
    made = Checkpoints(Objects(object_store), "trainings/ab/checkpoints", 0)
    for number in (8, 9, 10):
        made.write(number, encode(a_state(), STATE))
    return made


def test_the_newest_has_the_highest_number(checkpoints):
    assert (checkpoints.numbers(), checkpoints.newest()) == ([8, 9, 10], 10)


def test_workers_keep_theirs_apart(checkpoints):
    assert Checkpoints(checkpoints.objects, "trainings/ab/checkpoints", 1).numbers() == []


def test_older_and_newer_ones_can_be_forgotten(checkpoints):
    checkpoints.keep_newest(2)
    checkpoints.forget_after(9)

    assert checkpoints.numbers() == [9]


def test_one_that_is_not_there_is_none_and_said(checkpoints, capsys):
    assert checkpoints.read(7) is None
    assert "there is no checkpoint of step 7" in capsys.readouterr().out


def test_what_a_killed_writer_left_is_no_checkpoint_and_goes_with_the_rest(checkpoints, tmp_path):
    folder = tmp_path / "objects/trainings/ab/checkpoints"
    (folder / "0/000000011.npz#1").write_bytes(b"begun")

    assert checkpoints.newest() == 10
    checkpoints.objects.delete_folder("trainings/ab/checkpoints")
    assert not folder.exists()
