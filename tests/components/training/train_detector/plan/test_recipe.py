"""A recipe changes what it names; what is wrong in it is refused by name."""

import inspect

import pytest

from components.shared.cluster.client import ClusterError
from components.shared.contracts.absence import absence
from components.shared.contracts.choices import AUTO, number_or
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import TrainedLayout
from components.shared.contracts.recipe import recipe_text
from components.training.train_detector.component import train_detector
from components.training.train_detector.plan.recipe import attempt, with_recipe
from components.training.train_detector.plan.settings import TrainingSettings
from tests.support.search_results import info_of


def test_a_recipe_changes_what_it_names_and_nothing_else():
    settings = with_recipe("# tuned\nlearning_rate: 1e-3\nmosaic: 0.25\n", seed=7)

    assert settings == TrainingSettings(learning_rate=0.001, mosaic=0.25, seed=7)


@pytest.mark.parametrize("recipe", ["", "# nothing did better\n", "{}"])
def test_an_empty_recipe_changes_nothing(recipe):
    assert with_recipe(recipe, epochs=3) == TrainingSettings(epochs=3)


def test_a_line_of_json_is_a_recipe():
    assert with_recipe(recipe_text({"size": "nano", "batch_size": 8})).batch_size == 8


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        ("mosiac: 0.5", "recipe: mosiac is no setting, expected some of size"),
        ("start: champion", "recipe: start is no setting"),
        ("mosaic: 2", "mosaic: Input should be less than or equal to 1, got 2"),
        ("size: huge", "size: Input should be 'pico', 'nano' or 'small', got 'huge'"),
        ("- mosaic", "expected YAML such as"),
        ("mosaic", "recipe is 'mosaic', expected YAML such as"),
        ("mosaic: [", "recipe is no YAML"),
    ],
)
def test_what_is_wrong_in_a_recipe_is_refused_by_name(recipe, why):
    with pytest.raises(UserError, match=why):
        with_recipe(recipe)


def test_what_is_said_twice_must_be_the_same():
    assert with_recipe("epochs: 60", epochs=60).epochs == 60
    with pytest.raises(UserError, match="epochs is 3, and the recipe says 60"):
        with_recipe("epochs: 60", epochs=3)


def test_a_parameter_that_nobody_gave_is_the_default_of_the_setting():
    told = inspect.signature(train_detector.python_func).parameters

    words = {"epochs": number_or(AUTO, told["epochs"].default, "epochs")}
    for name in told.keys() & TrainingSettings.model_fields.keys():
        default = words.get(name, told[name].default)
        assert default == TrainingSettings.model_fields[name].default, name


def refuse():
    raise UserError("the loss is nan in epoch 1: lower the learning rate")


def test_a_trial_that_is_refused_leaves_the_reason(tmp_path, capsys):
    assert attempt(refuse, tmp_path / "trained", trial=True) is None
    assert absence(tmp_path / "trained") == "the loss is nan in epoch 1: lower the learning rate"
    assert "this trial is skipped" in capsys.readouterr().out


def test_a_trial_that_met_an_outage_is_not_lost(tmp_path):
    def meet_an_outage():
        raise ClusterError("tfjobs train-ab: no API server answers")

    with pytest.raises(ClusterError):
        attempt(meet_an_outage, tmp_path / "trained", trial=True)
    assert not (tmp_path / "trained").exists()


def test_a_training_that_is_refused_is_refused(tmp_path):
    with pytest.raises(UserError, match="lower the learning rate"):
        attempt(refuse, tmp_path / "trained", trial=False)
    assert not (tmp_path / "trained").exists()


def test_a_trial_that_is_done_is_what_was_trained(tmp_path):
    info = info_of({})

    assert attempt(lambda: info, tmp_path, trial=True) is info
    assert not TrainedLayout(tmp_path).info.exists()
