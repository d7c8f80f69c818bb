import pytest

from components.monitoring.submit_training.component import submit_training
from components.monitoring.submit_training.submit import starter
from components.shared.contracts.errors import UserError
from components.shared.kubeflow.runs import train_once
from pipelines.parameters import defaults


def test_a_window_starts_the_pipeline_that_was_uploaded_once(client, uploaded, kubeflow):
    first = train_once(client, "yard", "d" * 64)

    assert train_once(client, "yard", "d" * 64) == first
    (kept,) = kubeflow.runs.values()
    assert kept["display_name"] == "train-yard-dddddddddddd"
    reference = kept["pipeline_version_reference"]
    assert reference["pipeline_version_id"] == uploaded[0].version.id
    assert kept["service_account"] == "car-pipeline"


def test_a_task_starts_runs_under_the_account_that_its_own_run_has(
    client, uploaded, kubeflow, monkeypatch
):
    monkeypatch.setenv("TASK_ACCOUNT", "yard-pipeline")

    kept = kubeflow.runs[train_once(client, "yard", "0123456789abcdef")]
    assert kept["service_account"] == "yard-pipeline"


def test_a_window_starts_the_newest_version_with_the_parameters_that_were_chosen(
    client, uploaded, kubeflow
):
    chosen = {"approval": "manual", "launcher": "tfjob", "workers": 4}

    starter(kubeflow.url, chosen)("yard", "d" * 64)

    (kept,) = kubeflow.runs.values()
    assert kept["runtime_config"]["parameters"] == {"dataset": "yard", **chosen}


def test_watch_and_its_submission_have_the_names_and_defaults_of_training():
    names = ("approval", "launcher", "workers")
    train, watch = ({n: defaults(graph)[n] for n in names} for graph in ("train", "watch"))
    job = {n: submit_training.component_spec.inputs[n].default for n in names}

    assert train == watch == job


def test_a_window_is_refused_where_the_pipeline_is_not_uploaded(client):
    with pytest.raises(UserError, match="knows no pipeline 'train-car-detector'"):
        train_once(client, "yard", "d" * 64)


def test_the_names_that_jobs_and_pipelines_use_are_the_same():
    from components.shared.kubeflow.runs import TRAIN
    from pipelines.graphs import GRAPHS

    assert GRAPHS["train"].name == TRAIN
