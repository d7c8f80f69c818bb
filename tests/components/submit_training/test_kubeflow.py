import json
from types import SimpleNamespace as Answer

import pytest

from components.contracts.refusal import Refusal
from components.submit_training.kubeflow import run_once


class Client:
    """What we use of `kfp.Client`, with a host that remembers its runs."""

    def __init__(self, pipeline="p1"):
        self.pipeline, self.started = pipeline, []

    def list_runs(self, page_size, filter):  # noqa: A002 (the client's own name)
        (wanted,) = json.loads(filter)["predicates"]
        named = [run for run in self.started if run["name"] == wanted["stringValue"]]
        return Answer(runs=[Answer(run_id=run["id"]) for run in named] or None)

    def get_pipeline_id(self, name):
        return self.pipeline

    def list_pipeline_versions(self, pipeline_id, page_size, sort_by):
        return Answer(pipeline_versions=[Answer(pipeline_version_id="v2")])

    def create_experiment(self, name):
        return Answer(experiment_id="e1")

    def run_pipeline(self, experiment_id, job_name, params, pipeline_id, version_id):
        self.started.append({"name": job_name, "id": f"r{len(self.started)}", **params})
        return Answer(run_id=self.started[-1]["id"])


def test_a_run_is_started_with_its_dataset():
    client = Client()

    assert run_once(client, "train-yard-1", "yard") == "r0"
    assert client.started == [{"name": "train-yard-1", "id": "r0", "dataset": "yard"}]


def test_a_run_of_that_name_is_found_and_not_started_again():
    client = Client()

    assert run_once(client, "train-yard-1", "yard") == run_once(client, "train-yard-1", "yard")
    assert len(client.started) == 1


def test_a_host_without_the_pipeline_is_named_as_such():
    with pytest.raises(Refusal, match="knows no pipeline 'train-car-detector'"):
        run_once(Client(pipeline=None), "train-yard-1", "yard")
