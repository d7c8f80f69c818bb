"""Workers write checkpoints after the same steps, and go on from one that all of them have."""

import threading

import numpy as np
import pytest

from components.shared.contracts.stopping import Stopped
from components.shared.store.objects import Objects, StoreError
from components.training.train_detector.learning.checkpoint import Checkpoints, encode
from components.training.train_detector.learning.checkpointing import CheckpointCoordinator
from components.training.train_detector.learning.state import TrainingState
from tests.support.worker_threads import Told, together


def variables(number):
    return {"number": np.float32([number])}


@pytest.fixture
def coordinator(object_store):
    def coordinator(group, every_s=0.0, told=None):
        checkpoints = Checkpoints(Objects(object_store), "checkpoints", group.index)
        return CheckpointCoordinator(checkpoints, group, every_s, told or threading.Event())

    return coordinator


def steps(coordinator, count, first=0):
    for number in range(first + 1, first + count + 1):
        votes = coordinator.group.total(coordinator.votes())
        coordinator.after_step(
            number, votes, TrainingState(step=number), lambda number=number: variables(number)
        )


def found_by(coordinator):
    found = coordinator.restore_common()
    return found and int(found[1]["number"][0])


def test_three_checkpoints_are_kept(coordinator):
    def train(group):
        mine = coordinator(group)
        steps(mine, 5)
        mine.close()
        return mine.checkpoints.numbers()

    assert together(3, train) == [[3, 4, 5]] * 3


def test_nothing_is_written_before_it_is_time(coordinator):
    def train(group):
        mine = coordinator(group, every_s=60.0)
        steps(mine, 5)
        mine.close()
        return mine.checkpoints.numbers()

    assert together(2, train) == [[], []]


def test_without_a_checkpoint_a_training_begins(coordinator):
    assert together(2, lambda group: coordinator(group).restore_common()) == [None, None]


def keep(coordinator, group, *numbers, torn=()):
    checkpoints = coordinator(group).checkpoints
    for number in numbers:
        checkpoints.write(number, encode(TrainingState(step=number), variables(number)))
    for number in torn:
        checkpoints.write(number, encode(TrainingState(), {})[:-1])


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [((1, 2), (1, 2), 2), ((1, 2), (1,), 1), ((1,), (1, 2), 1), ((1, 2), (3,), None)],
)
def test_all_go_on_from_the_newest_that_all_have(coordinator, first, second, common):
    def go_on(group):
        keep(coordinator, group, *(second if group.index else first))
        return found_by(coordinator(group))

    assert together(2, go_on) == [common, common]


@pytest.mark.parametrize("where", [0, 1])
def test_a_torn_checkpoint_of_one_sends_all_to_the_one_before(coordinator, where, capsys):
    def go_on(group):
        mine = group.index == where
        keep(coordinator, group, *((1,) if mine else (1, 2)), torn=(2,) if mine else ())
        return found_by(coordinator(group))

    assert together(2, go_on) == [1, 1]
    said = capsys.readouterr().out
    assert f"checkpoints/{where}/000000002.npz is damaged" in said
    assert said.endswith("resumed from the checkpoint of step 1\n")


def test_what_is_newer_than_where_all_go_on_is_forgotten(coordinator):
    def go_on(group):
        keep(coordinator, group, *((1,) if group.index else (1, 2)))
        mine = coordinator(group)
        mine.restore_common()
        return mine.checkpoints.numbers()

    assert together(2, go_on) == [[1], [1]]


def test_all_leave_after_the_same_step_when_one_is_told(coordinator):
    def train(group):
        told = Told(after=2) if group.index == 1 else None
        with pytest.raises(Stopped) as left:
            steps(coordinator(group, 60.0, told), 9)
        return left.value.code, found_by(coordinator(group))

    assert together(3, train) == [(143, 3)] * 3


def test_a_store_that_fails_ends_the_training(coordinator):
    def train(group):
        mine = coordinator(group)
        mine.checkpoints.objects.put("checkpoints", b"a file where a folder should be")
        with pytest.raises(StoreError):
            steps(mine, 2)

    together(1, train)
