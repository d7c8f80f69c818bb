"""What the dashboard's form shows is what the code checks, here and on a host."""

from typing import get_args

import pytest

from components.shared.contracts.account import pipeline_account
from components.shared.contracts.choices import Approval, ImageSize, LauncherName, number_or
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import Precision, Suppression
from components.training.export_onnx.package import form_of
from components.training.train_detector.launchers.choose import launcher_named
from components.training.train_detector.plan.settings import TrainingSettings
from pipelines.form import VALUES, description_of, values_of
from pipelines.graphs import GRAPHS
from pipelines.kubeflow.runtime_parameters import runtime_parameters
from pipelines.local import commands
from pipelines.parameters import checked, defaults
from pipelines.policy.access import AS_PIPELINE


def literals(pipeline, name):
    parameter = GRAPHS[pipeline].pipeline_spec.root.input_definitions.parameters[name]
    return [one.string_value or int(one.number_value) for one in parameter.literals]


@pytest.mark.parametrize(
    ("pipeline", "name", "kind"),
    [
        ("train", "approval", Approval), ("train", "launcher", LauncherName),
        ("train", "image_size", ImageSize), ("train", "served_precision", Precision),
        ("train", "suppression", Suppression), ("watch", "approval", Approval),
        ("watch", "launcher", LauncherName), ("tune", "launcher", LauncherName),
    ],
)  # fmt: skip
def test_pipelines_2_17_draws_a_list_of_the_literals_that_the_code_checks(pipeline, name, kind):
    assert literals(pipeline, name) == list(get_args(kind))


@pytest.mark.parametrize("pipeline", GRAPHS)
def test_every_default_is_one_of_its_literals(pipeline):
    for name, value in defaults(pipeline).items():
        literals = values_of(name).literals
        assert not literals or value in literals


def test_the_jobs_take_every_literal_and_no_other():
    assert all(launcher_named(name, {}) for name in VALUES["launcher"].literals)
    assert all(form_of(it, "outside") for it in VALUES["served_precision"].literals)
    assert all(form_of("float32", it) for it in VALUES["suppression"].literals)
    assert all(
        TrainingSettings(image_size=it).image_size == it for it in VALUES["image_size"].literals
    )
    assert all(size % 32 == 0 for size in VALUES["image_size"].literals)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"approval": "atuo"}, "train: approval is 'atuo', expected one of auto, manual"),
        ({"image_size": 321}, "train: image_size is 321, expected one of 64, 96"),
        ({"epochs": "many"}, "train: epochs is 'many', expected auto or a whole number"),
        ({"epochs": 1.5}, "train: epochs is 1.5, expected of type String"),
        ({"workers": "2"}, "train: workers is '2', expected of type Integer"),
    ],
)
def test_another_value_is_refused_before_it_is_sent_or_run_here(given, complaint):
    with pytest.raises(UserError, match=complaint):
        checked("train", given)


def parameters_but(*free):
    return [
        (pipeline, name)
        for pipeline in GRAPHS
        for name, default in defaults(pipeline).items()
        if isinstance(default, str) and name not in free
    ]


# What may be empty: settings that change nothing, and the folder that stands for a snapshot.
MAY_BE_EMPTY = ("recipe", "space", "folder")


@pytest.mark.parametrize(("pipeline", "name"), parameters_but(*MAY_BE_EMPTY))
def test_no_choice_is_left_empty(pipeline, name):
    with pytest.raises(UserError, match=f"{pipeline}: {name} is '', expected "):
        checked(pipeline, {name: ""})


@pytest.mark.parametrize(("pipeline", "name"), parameters_but("source", "folder"))
@pytest.mark.parametrize("value", [" car-parks ", "Ünsinn", "car-parks\n", "x\0", "\ud800"])
def test_a_word_that_means_nothing_is_refused_for_every_choice(pipeline, name, value):
    with pytest.raises(UserError, match=f"{pipeline}: .*{name} is "):
        checked(pipeline, {name: value})


@pytest.mark.parametrize("value", [" ", "\t", "a\0b", "\ud800"])
def test_a_path_of_blanks_or_half_characters_is_refused(value):
    with pytest.raises(UserError, match="import: source is"):
        checked("import", {"source": value})
    with pytest.raises(UserError, match="batch: folder is"):
        checked("batch", {"folder": value})


@pytest.mark.parametrize(
    ("pipeline", "name"),
    [
        (pipeline, name)
        for pipeline in GRAPHS
        for name, default in defaults(pipeline).items()
        if type(default) is int or name in ("epochs", "budget")
    ],
)
@pytest.mark.parametrize("value", [-1, 2**31, 2**53, 10**400])
def test_an_impossible_number_is_refused_for_every_count(pipeline, name, value):
    with pytest.raises(UserError, match=f"{pipeline}: {name} is "):
        checked(pipeline, {name: value})


@pytest.mark.parametrize(
    ("pipeline", "given", "complaint"),
    [
        ("train", {"workers": 3}, "train: batch size is 8, expected a multiple of 3 workers"),
        ("train", {"recipe": "accumulate: 5"}, "accumulate is 5, expected at most the 4 images"),
        ("train", {"recipe": "epochs: 99999999"}, "epochs: Input should be less than or equal to"),
        ("watch", {"recipe": "epoch: 3"}, "watch: recipe: epoch is no setting"),
        ("train", {"recipe": "image_size: 640", "image_size": 256}, "and the recipe says 640"),
        ("tune", {"space": "colour: [red]"}, "tune: space: colour is nothing to search"),
        ("tune", {"budget": 5}, "tune: budget is 5 epochs, expected at least"),
        ("deploy", {"model": "chalenger"}, "deploy: model is 'chalenger', expected challenger"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused_before_a_run(pipeline, given, complaint):
    with pytest.raises(UserError, match=complaint):
        checked(pipeline, given)


@pytest.mark.parametrize("pipeline", GRAPHS)
def test_a_pipeline_takes_its_own_defaults_but_for_what_only_a_user_knows(pipeline):
    known = {name: value for name, value in defaults(pipeline).items() if name != "source"}

    assert checked(pipeline, known) == known


def test_what_is_given_on_this_machine_is_looked_at_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setenv("CARS_STATE", str(tmp_path / "state"))

    for name, given in [
        ("batch", {"folder": "no/jpegs"}),
        ("import", {"source": "no/cars.zip"}),
        ("train", {"approval": ""}),
        ("train", {"dataset": " car-parks "}),
    ]:
        with pytest.raises(UserError, match=f"{name}: {next(iter(given))} is "):
            commands.run(name, {"dataset": "car-parks", **given})

    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(("given", "is_taken_as"), [(14, "14"), ("14", "14"), (0, "auto")])
def test_who_gives_epochs_as_a_number_is_still_understood(given, is_taken_as):
    assert checked("train", {"epochs": given}) == {"epochs": is_taken_as}


def test_a_number_or_a_word_is_read_from_either():
    assert [number_or("auto", it, "epochs") for it in ("auto", "7", 7, 0)] == [0, 7, 7, 0]


@pytest.mark.parametrize("pipeline", GRAPHS)
def test_a_description_says_which_account_a_run_needs(pipeline):
    assert description_of(GRAPHS[pipeline]).endswith("Runs need the service account car-pipeline.")


def test_tasks_expect_the_account_that_runs_are_started_with():
    assert dict(AS_PIPELINE) == {"TASK_ACCOUNT": pipeline_account()}


def test_a_folder_of_this_machine_is_refused_where_a_cluster_would_look_for_it():
    with pytest.raises(UserError, match=r"batch: folder is 'my/jpegs', which no task of a cluster"):
        runtime_parameters("batch", {"folder": "my/jpegs"})

    assert runtime_parameters("batch", {"dataset": "yard"}) == {"dataset": "yard"}


@pytest.mark.parametrize(
    "source", ["", "my/cars", "cars.zip", "file:///tmp/cars", "https://example.com/cars.zip"]
)
def test_an_import_on_a_cluster_needs_an_address_in_an_object_store(source):
    with pytest.raises(UserError, match="expected an address in an object store"):
        runtime_parameters("import", {"source": source})


def test_an_address_in_an_object_store_is_taken():
    assert runtime_parameters("import", {"source": "s3://cars/a.zip"}) == {
        "source": "s3://cars/a.zip"
    }
