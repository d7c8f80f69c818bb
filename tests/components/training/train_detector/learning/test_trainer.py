"""A trainer's step is the same again from the same state, in parts or whole, in any precision."""

import subprocess
import sys
from collections import defaultdict

import numpy as np
import pytest

from components.shared.contracts.errors import UserError
from components.training.train_detector.data.color_jitter import apply_color_jitter
from components.training.train_detector.data.sampler import Batch
from components.training.train_detector.learning.flatten import flat
from components.training.train_detector.learning.loss_scale import PATIENCE
from tests.support import tiny_trainers
from tests.support.tiny_trainers import (
    RATE,
    SIDE,
    batch,
    differences,
    state,
    steps,
)


def relative(one, other):
    return np.abs(one - other).max() / np.abs(other).max()


@pytest.fixture(scope="module")
def idle():
    """Trainers that were lent before, by their settings: to trace the graph of a step is slow."""
    return defaultdict(list)


@pytest.fixture
def trainer(idle):
    """Lend trainers of two classes that are in every respect as new ones."""
    lent = []

    def lend(seed=0, **chosen):
        new = tiny_trainers.trainer(seed, **chosen)
        others = idle[tuple(sorted(chosen.items()))]
        student = others.pop() if others else new
        student.model.set_weights(new.model.get_weights())
        student.load(state(new))
        lent.append((others, student))
        return student

    yield lend
    for others, student in lent:
        others.append(student)


@pytest.fixture(scope="module")
def student():
    student = tiny_trainers.trainer()
    student.losses = np.array(steps(student, 0, 8))
    return student


def test_it_learns(student):
    again = [student.step(batch(0), RATE, 8 + number)[0] for number in range(8)]

    assert again[-1].sum() < again[0].sum()
    assert np.isfinite(student.losses).all()


@pytest.mark.parametrize(("parts", "images"), [(2, 4), (3, 7)])
def test_parts_are_one_batch_when_statistics_are_frozen(parts, images, trainer):
    whole, pieces = trainer(frozen=True), trainer(frozen=True, accumulate=parts)
    before = state(whole)

    losses = [one.step(batch(0, images), RATE, 0)[0] for one in (whole, pieces)]

    assert relative(*losses) < 1e-5
    for moment in ("first_moment", "second_moment"):
        assert relative(state(pieces)[moment], state(whole)[moment]) < 1e-5
    assert not np.array_equal(before["weights"], state(pieces)["weights"])
    assert np.array_equal(before["statistics"], state(pieces)["statistics"])


@pytest.mark.parametrize("parts", [1, 3])
def test_votes_count_once(parts, trainer):
    _, votes = trainer(accumulate=parts).step(batch(0), RATE, 0, np.float32([1, 0]))

    assert votes.tolist() == [1, 0]


def test_more_parts_than_images_are_refused(trainer):
    with pytest.raises(UserError, match="accumulate is 5, expected at most the 4 images"):
        steps(trainer(accumulate=5), 0, 1)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_state_goes_on_as_if_nothing_had_been(precision, trainer):
    first = trainer(precision=precision)
    steps(first, 0, 2)
    other = trainer(seed=1, precision=precision)
    other.load(state(first))

    assert not differences(state(first), state(other))
    assert np.array_equal(steps(first, 2, 4), steps(other, 2, 4))
    assert not differences(state(first), state(other))


def test_a_fresh_process_goes_on_byte_for_byte(tmp_path, trainer):
    student = trainer()
    steps(student, 0, 2)
    np.savez(tmp_path / "half.npz", **state(student))
    module, files = (
        "tests.support.tiny_trainers",
        ("half.npz", "resumed.npz"),
    )
    told = [*(str(tmp_path / name) for name in files), "2", "4"]

    subprocess.run([sys.executable, "-m", module, *told], check=True, capture_output=True)
    steps(student, 2, 4)

    assert not differences(dict(np.load(tmp_path / "resumed.npz")), state(student))


def test_half_the_bits_move_alike_and_keep_full_weights(trainer):
    full, half = trainer(), trainer(precision="bfloat16")

    losses = [steps(one, 0, 1)[0] for one in (full, half)]

    assert relative(*losses) < 0.02
    assert {value.dtype for value in state(half).values()} == {np.dtype(np.float32)}
    assert {weight.dtype for weight in half.model.weights} == {"float32"}
    for one, other in zip(full.model.weights, half.model.weights, strict=True):
        assert one.path == other.path


def test_what_a_network_of_half_the_bits_says_is_in_all_of_them(trainer):
    said = trainer(precision="bfloat16").model(np.zeros((1, SIDE, SIDE, 3), np.float32))

    assert {value.dtype.name for value in said.values()} == {"float32"}


@pytest.mark.parametrize("parts", [1, 2])
def test_an_overflow_changes_nothing_but_the_scale(parts, trainer):
    student = trainer(precision="float16", accumulate=parts)
    student.load({**state(student), "loss_scale": np.float32(2.0**120)})
    before = state(student)

    losses = steps(student, 0, 1)[0]

    assert np.isfinite(losses).all()
    assert differences(before, state(student)) == ["loss_scale"]
    assert state(student)["loss_scale"] == 2.0**119


def test_the_scale_of_the_loss_changes_no_move(trainer):
    moved = []
    for scale in (64.0, 16.0):
        student = trainer(precision="float16")
        student.load({**state(student), "loss_scale": np.float32(scale)})
        steps(student, 0, 1)
        moved.append(state(student))

    assert relative(moved[0]["first_moment"], moved[1]["first_moment"]) < 0.01
    assert [one["good_steps"] for one in moved] == [1, 1]


def test_the_scale_grows_when_long_nothing_overflowed(trainer):
    student = trainer(precision="float16")
    student.load(
        {**state(student), "loss_scale": np.float32(64), "good_steps": np.float32(PATIENCE - 1)}
    )

    steps(student, 0, 1)

    assert state(student)["loss_scale"] == 128
    assert state(student)["good_steps"] == 0


def test_the_network_shows_the_average_and_the_next_step_does_not_see_it(student, trainer):
    before = state(student)

    shown = student.use_ema_weights()

    assert all(map(np.array_equal, shown, student.model.get_weights()))
    assert np.array_equal(
        flat(student.model.non_trainable_variables), before["averaged_statistics"]
    )
    assert np.array_equal(flat(student.learned), before["averaged_weights"])
    assert not differences(before, state(student))
    again = trainer(seed=1)
    again.load(before)
    assert np.array_equal(steps(student, 8, 9), steps(again, 8, 9))


def statistics_after(trainer, accumulate, *batches):
    """Return the statistics that a trainer whose weights stay has after some batches."""
    student = trainer(accumulate=accumulate)
    for number, one in enumerate(batches):
        student.step(one, 0.0, number)
    return state(student)["statistics"]


def test_a_step_moves_statistics_as_the_network_itself_does(trainer):
    student, seen = trainer(), batch(0)
    student.model(apply_color_jitter(seen.images, seen.jitters), training=True)

    expected = flat(student.model.non_trainable_variables).numpy()

    assert np.allclose(statistics_after(trainer, 1, seen), expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(state(student)["statistics"], expected, rtol=0.01)


def test_each_part_goes_on_with_the_statistics_of_the_one_before(trainer):
    whole = batch(0)
    halves = [Batch(*(array[half] for array in whole)) for half in (slice(2), slice(2, 4))]

    assert np.allclose(
        statistics_after(trainer, 2, whole), statistics_after(trainer, 1, *halves), atol=1e-6
    )
