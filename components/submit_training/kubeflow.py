"""A run is found by its name before it is started, so that nobody starts it twice."""

import json

from kfp import Client

from components.contracts.refusal import Refusal

PIPELINE = "train-car-detector"
EXPERIMENT = "car-detection"


def run_once(client: Client, name: str, dataset: str) -> str:
    """Start the train pipeline, unless there is a run of that name, and return the run's id.

    Args:
        client: Speaks to the host of Kubeflow Pipelines.
        name: The run's name, the same whenever the same run is meant.
        dataset: What to train on.

    Raises:
        Refusal: If the host does not know the pipeline.
    """
    named = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
    found = client.list_runs(page_size=1, filter=json.dumps({"predicates": [named]})).runs
    return str(found[0].run_id) if found else _start(client, name, dataset)


def _start(client: Client, name: str, dataset: str) -> str:
    pipeline = client.get_pipeline_id(PIPELINE)
    if pipeline is None:
        raise Refusal(f"the host knows no pipeline {PIPELINE!r}, expected it to be uploaded there")
    versions = client.list_pipeline_versions(pipeline, page_size=1, sort_by="created_at desc")
    run = client.run_pipeline(
        client.create_experiment(EXPERIMENT).experiment_id,
        name,
        params={"dataset": dataset},
        pipeline_id=pipeline,
        version_id=versions.pipeline_versions[0].pipeline_version_id,
    )
    return str(run.run_id)
