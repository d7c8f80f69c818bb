"""Trials are inside what is searched, spread over it, within the budget, and the same again."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import TuningPolicy
from components.shared.contracts.recipe import recipe_from, recipe_text
from components.training.train_detector.plan.recipe import with_recipe
from components.training.train_detector.plan.settings import TrainingSettings
from components.tuning.propose_settings.component import propose_settings
from components.tuning.propose_settings.propose import propose, rungs
from components.tuning.propose_settings.space import TUNABLE, USUAL, Choice, Range, read_space

trials = some.integers(2, 60)
seeds = some.integers(0, 2**31)


def inside(dimension, value):
    if isinstance(dimension, Choice):
        return value in dimension.values
    return dimension.low <= value <= dimension.high


@given(trials, seeds)
def test_every_trial_is_inside_what_is_searched(count, seed):
    for recipe in propose(USUAL, count, seed)[1:]:
        assert all(inside(USUAL[name], value) for name, value in recipe.items())


@given(trials, seeds)
def test_the_defaults_come_first_and_every_trial_after_them_is_whole(count, seed):
    first, *others = propose(USUAL, count, seed)

    assert first == {}
    assert len(others) == count - 1
    assert all(set(other) == set(USUAL) for other in others)


@given(trials, trials, seeds)
def test_more_trials_begin_as_fewer_do(count, more, seed):
    assert propose(USUAL, count + more, seed)[:count] == propose(USUAL, count, seed)


def test_another_seed_begins_elsewhere():
    assert propose(USUAL, 3, 0) != propose(USUAL, 3, 1)


@pytest.mark.parametrize("name", ["learning_rate", "mosaic"])
@given(seeds)
def test_twelve_trials_leave_no_third_of_a_range_out(name, seed):
    dimension = USUAL[name]
    ends = [dimension.at(third / 3) for third in range(4)]
    values = [recipe[name] for recipe in propose(USUAL, 13, seed)[1:]]

    for low, high in pairwise(ends):
        assert any(low <= value <= high for value in values)


@given(trials, seeds)
def test_training_takes_every_trial_that_the_usual_search_proposes(count, seed):
    for recipe in propose(USUAL, count, seed):
        settings = with_recipe(recipe_text(recipe))
        assert settings.model_dump() == TrainingSettings(**recipe).model_dump()


def test_what_can_be_searched_are_settings_of_a_training():
    assert set(TUNABLE) <= set(TrainingSettings.model_fields) - {
        "start",
        "seed",
        "workers",
        "epochs",
    }
    assert set(USUAL) <= set(TUNABLE)


@given(trials, some.integers(1, 100), some.integers(1, 2000))
def test_a_budget_is_kept_or_refused(count, epochs, budget):
    try:
        spent = rungs(count, epochs, budget, TuningPolicy())
    except UserError as refusal:
        assert "for two trials" in str(refusal)  # noqa: PT017 (most budgets are kept)
    else:
        assert spent.total <= budget
        assert 2 <= spent.trials <= count


@pytest.mark.parametrize(
    ("asked", "why"),
    [((1, 12, 0), "trials is 1"), ((9, 0, 0), "epochs is 0"), ((9, 12, -1), "budget is -1")],
)
def test_what_cannot_be_spent_is_refused(asked, why):
    with pytest.raises(UserError, match=why):
        rungs(*asked, TuningPolicy())


@pytest.mark.parametrize(
    ("space", "why"),
    [
        ("mosiac: [0, 1]", "mosiac is nothing to search"),
        ("start: [scratch]", "start is nothing to search"),
        ("mosaic: {low: 1, high: 0}", "mosaic: record: expected low < high"),
        ("learning_rate: {low: 0, high: 1, log: true}", "above 0 if log"),
        ("mosaic: []", "mosaic: values"),
        ("mosaic: 0.5", "expected a list, or"),
        ("- mosaic", "expected settings"),
        ("mosaic: [", "no YAML"),
    ],
)
def test_what_cannot_be_searched_is_refused_by_name(space, why):
    with pytest.raises(UserError, match=why):
        read_space(space)


def test_a_space_of_ones_own_is_searched_alone():
    space = read_space("{size: [pico, nano], warm_up: {low: 0.01, high: 0.2}}")

    assert space == {
        "size": Choice(values=("pico", "nano")),
        "warm_up": Range(low=0.01, high=0.2),
    }


@given(some.integers(1, 4), some.integers(1, 4), seeds)
def test_a_small_space_is_tried_whole_and_once(sizes, batches, seed):
    space = {
        "size": Choice(values=tuple("abcd"[:sizes])),
        "batch_size": Choice(values=tuple(range(batches))),
    }
    points = propose(space, 60, seed)[1:]

    assert len(points) == sizes * batches
    assert len({recipe_text(point) for point in points}) == len(points)


def test_a_range_too_narrow_for_its_digits_is_tried_once():
    assert propose({"mosaic": Range(low=0.5, high=0.50001)}, 9, 0) == [{}, {"mosaic": 0.5}]


def test_the_wrapper_proposes_short_trainings(capsys):
    recipes = propose_settings.python_func(trials=4, epochs=6, space="size: [pico, nano]")

    assert [recipe_from(recipe)["epochs"] for recipe in recipes] == [2] * 3
    assert (
        "3 trials of 2 epochs; the best 1 and the defaults continue to 6" in capsys.readouterr().out
    )
