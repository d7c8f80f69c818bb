"""The best epoch's weights are kept, and when none comes after it a training may end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.training.train_detector.learning.state import TrainingState
from components.training.train_detector.plan.history import Epoch


def after(*scores):
    state = TrainingState()
    for epoch, score in enumerate(scores, 1):
        line = Epoch(
            epoch=epoch, loss=1, class_loss=1, box_loss=0, distance_loss=0, learning_rate=0.1,
            map50=score,
        )  # fmt: skip
        state.add_step(np.float32([1, 2, 3]))
        state.close_epoch(line, [np.float32([epoch])])
    return state


@given(st.lists(st.floats(0, 1, width=32), min_size=1))
def test_the_best_weights_are_kept_and_of_equal_ones_the_last(scores):
    outcome = after(*scores).outcome
    best = outcome.best_epoch - 1

    assert scores[best] == max(scores) == outcome.map50
    assert outcome.weights[0][0] == outcome.best_epoch
    assert all(score < max(scores) for score in scores[best + 1 :])


@pytest.mark.parametrize(
    ("scores", "patience", "over"),
    [((0.5, 0.4, 0.3), 2, True), ((0.5, 0.4, 0.3), 3, False), ((0.5, 0.4, 0.6), 2, False),
     ((0.5, 0.5), 1, False), ((0.5, 0.4, 0.3), 0, False), ((), 1, False)],
)  # fmt: skip
def test_patience_is_epochs_without_a_gain(scores, patience, over):
    assert after(*scores).outcome.should_stop_early(patience) == over


def test_without_a_number_the_last_weights_are_kept_and_no_training_ends_early():
    outcome = after(*[None] * 9).outcome

    assert (outcome.best_epoch, outcome.map50) == (9, None)
    assert outcome.weights[0][0] == 9
    assert not outcome.should_stop_early(1)


def test_an_epoch_begins_without_steps():
    state = after(0.5)

    assert (state.epoch, state.step, state.losses) == (1, 0, [])


def test_losses_are_the_mean_of_an_epochs_steps():
    state = TrainingState()
    state.add_step(np.float32([1, 2, 3]))
    state.add_step(np.float32([3, 2, 1]))

    assert state.mean_losses() == [2, 2, 2]
