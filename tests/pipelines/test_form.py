"""What the dashboard's form shows is what the code checks, here and on a host."""

from typing import get_args

import pytest

from components.contracts.account import pipeline_account
from components.contracts.choices import Approval, ImageSize, LauncherName, number_or
from components.contracts.model import Precision, Suppression
from components.contracts.refusal import Refusal
from components.export_onnx.package import form_of
from components.train_detector.launchers.choose import launcher_named
from components.train_detector.settings import Settings
from pipelines.form import VALUES, description_of, values_of
from pipelines.graphs import GRAPHS
from pipelines.kubeflow.runtime_parameters import runtime_parameters
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
    assert all(Settings(image_size=it).image_size == it for it in VALUES["image_size"].literals)
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
    with pytest.raises(Refusal, match=complaint):
        checked("train", given)


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
    with pytest.raises(Refusal, match=r"batch: folder is 'my/jpegs', which no task of a cluster"):
        runtime_parameters("batch", {"folder": "my/jpegs"})

    assert runtime_parameters("batch", {"dataset": "yard"}) == {"dataset": "yard"}


@pytest.mark.parametrize(
    "source", ["", "my/cars", "cars.zip", "file:///tmp/cars", "https://example.com/cars.zip"]
)
def test_an_import_on_a_cluster_needs_an_address_in_an_object_store(source):
    with pytest.raises(Refusal, match="expected an address in an object store"):
        runtime_parameters("import", {"source": source})


def test_an_address_in_an_object_store_is_taken():
    assert runtime_parameters("import", {"source": "s3://cars/a.zip"}) == {
        "source": "s3://cars/a.zip"
    }
