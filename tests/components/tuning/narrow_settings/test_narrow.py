"""The better third goes on, whatever the order in which trainings come, and the defaults too."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from kfp import dsl

from components.shared.contracts.absence import mark_absent
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import TrainedLayout
from components.shared.contracts.policy import TuningPolicy
from components.shared.contracts.recipe import recipe_from, recipe_text
from components.tuning.narrow_settings.component import narrow_settings
from components.tuning.narrow_settings.narrow import finalists, narrow
from tests.support.search_results import info_of

RECIPES = [{"epochs": 2}, *({"epochs": 2, "mosaic": at / 100} for at in range(8))]
SCORES = [0.3, 0.1, 0.2, 0.9, 0.4, 0.8, 0.5, 0.7, 0.6]


def trained():
    return [info_of(recipe, score) for recipe, score in zip(RECIPES, SCORES, strict=True)]


@given(some.permutations(trained()))
def test_the_order_in_which_trainings_come_does_not_matter(infos):
    trials = narrow(RECIPES, infos, TuningPolicy())

    assert [trial.score for trial in trials] == SCORES
    assert [at for at, trial in enumerate(trials) if trial.goes_on] == [0, 3, 5, 7]


def test_those_that_go_on_are_trained_in_full():
    going = finalists(narrow(RECIPES, trained(), TuningPolicy()), 12)

    assert going[0] == {"epochs": 12}
    assert all(recipe["epochs"] == 12 for recipe in going)
    assert [recipe.get("mosaic") for recipe in going] == [None, 0.02, 0.04, 0.06]


def test_a_trial_that_could_not_be_trained_stops():
    trials = narrow(RECIPES[:3], trained()[:2], TuningPolicy())

    assert [trial.goes_on for trial in trials] == [True, False, False]
    assert trials[2].info is None


def test_trials_that_cannot_be_measured_are_not_ranked():
    with pytest.raises(UserError, match="2 trials are not measurable, for no validation image has"):
        narrow(RECIPES[:2], [info_of(recipe, None) for recipe in RECIPES[:2]], TuningPolicy())


def test_defaults_that_could_not_be_trained_do_not_go_on():
    trials = narrow(RECIPES[:3], trained()[1:3], TuningPolicy())

    assert [trial.goes_on for trial in trials] == [False, False, True]


def test_without_any_training_there_is_nothing_to_compare():
    with pytest.raises(UserError, match="none of 9 trials was trained"):
        narrow(RECIPES, [], TuningPolicy())


def test_the_wrapper_tells_every_trial_and_why_one_is_missing(tmp_path, capsys):
    folders = [dsl.Model(uri=str(tmp_path / str(number))) for number in range(3)]
    for folder, info in zip(folders, trained()[:2], strict=False):
        info.write(TrainedLayout(folder.path).info)
    mark_absent(folders[2].path, "the loss is nan in epoch 1: lower the learning rate")
    page = tmp_path / "page.md"
    going = narrow_settings.python_func(
        recipes=[recipe_text(recipe) for recipe in RECIPES[:3]], trained=folders,
        page=dsl.Markdown(uri=str(page)), epochs=5,
    )  # fmt: skip

    assert [recipe_from(recipe) for recipe in going] == [{"epochs": 5}]
    assert "| defaults |  | 0.300 | continues |" in page.read_text()
    assert "| 2 | 0.01 | not trained | stopped |" in page.read_text()
    assert "* not trained: the loss is nan in epoch 1" in page.read_text()
    assert "1 of 3 trials continue to 5 epochs" in capsys.readouterr().out
