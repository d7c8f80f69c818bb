"""Find and start runs of pipeline versions by name, idempotently: one name, one run."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from kfp.client import Client

from components.shared.contracts.account import pipeline_account
from components.shared.contracts.errors import UserError
from components.shared.kubeflow.client import host_errors, url_of

EXPERIMENT = "car-detection"
TRAIN = "train-car-detector"  # what the host calls the train pipeline
SUCCEEDED = "SUCCEEDED"
FINAL_STATES = {SUCCEEDED, "FAILED", "CANCELED", "SKIPPED"}
PAGE = 100

Answer = Any  # the SDK's answers have no types


class PipelineVersion(NamedTuple):
    """One version of a pipeline on a host.

    Attributes:
        pipeline: Name of the pipeline on the host.
        pipeline_id: Id of the pipeline on the host.
        name: Name of the version.
        id: Id of the version on the host.
    """

    pipeline: str
    pipeline_id: str
    name: str
    id: str


def run_name(pipeline: str, dataset: str, digest: str) -> str:
    """Return the deterministic name of a run.

    Args:
        pipeline: Command-line name of the pipeline.
        dataset: Name of the dataset.
        digest: Hexadecimal digest of all other inputs of the run.

    >>> run_name("train", "car-parks", "0123456789abcdef")
    'train-car-parks-0123456789ab'
    """
    return f"{pipeline}-{dataset}-{digest[:12]}"


def find_run(client: Client, name: str, key: str = "display_name") -> Answer | None:
    """Return the run of a name, the latest if there are several, or None.

    Args:
        client: Client of the host.
        name: Name of the run, or the value of another `key`.
        key: Field that is compared, such as `run_id`.
    """
    with host_errors(url_of(client)):
        found = client.list_runs(
            page_size=1, sort_by="created_at desc", filter=named(name, key)
        ).runs
    return found[0] if found else None


def find_pipeline(client: Client, pipeline: str) -> str | None:
    """Return the id of a pipeline by its name on the host, or None.

    Args:
        client: Client of the host.
        pipeline: Name of the pipeline on the host.
    """
    mine = client.get_user_namespace() or None
    with host_errors(url_of(client)):
        found = client.list_pipelines(filter=named(pipeline), namespace=mine).pipelines
    return str(found[0].pipeline_id) if found else None


def find_version(client: Client, pipeline: str, version: str = "") -> PipelineVersion:
    """Return a version of a pipeline.

    Args:
        client: Client of the host.
        pipeline: Name of the pipeline on the host.
        version: Name of the version; empty takes the newest.

    Raises:
        UserError: If the host has no such pipeline, or no such version of it.
    """
    id_ = find_pipeline(client, pipeline)
    if id_ is None:
        raise UserError(
            f"the host knows no pipeline {pipeline!r}, expected it to be uploaded there"
        )
    wanted = named(version) if version else None
    with host_errors(url_of(client)):
        found = client.list_pipeline_versions(
            id_, page_size=1, sort_by="created_at desc", filter=wanted
        ).pipeline_versions
    if not found:
        wanted_name = f"version {version!r}" if version else "version"
        raise UserError(f"pipeline {pipeline!r} has no {wanted_name}, expected one to be uploaded")
    return PipelineVersion(
        pipeline, id_, str(found[0].display_name), str(found[0].pipeline_version_id)
    )


def start_run(
    client: Client, name: str, version: PipelineVersion, parameters: Mapping[str, Any]
) -> Answer:
    """Start a run of a version of a pipeline.

    Its pods run under the service account of `contracts.account`.

    Args:
        client: Client of the host.
        name: Name of the run.
        version: PipelineVersion of the pipeline.
        parameters: Pipeline parameters by name.
    """
    with host_errors(url_of(client)):
        return client.run_pipeline(
            client.create_experiment(EXPERIMENT).experiment_id,
            name,
            params=dict(parameters),
            pipeline_id=version.pipeline_id,
            version_id=version.id,
            service_account=pipeline_account(),
        )


def train_once(
    client: Client, dataset: str, digest: str, chosen: Mapping[str, Any] | None = None
) -> str:
    """Start the train pipeline's newest version, unless this was done, and return the run's id.

    Args:
        client: Client of the host.
        dataset: Name of the dataset.
        digest: Digest of the reason; the same one never starts a second run.
        chosen: Other parameters of the pipeline; what is left out keeps its default.

    Raises:
        UserError: If the host has no train pipeline.
    """
    name = run_name("train", dataset, digest)
    run = find_run(client, name)
    if run is None:
        parameters = {**(chosen or {}), "dataset": dataset}
        run = start_run(client, name, find_version(client, TRAIN), parameters)
    return str(run.run_id)


def named(name: str, key: str = "display_name") -> str:
    """Return the KFP filter for objects whose name, or another field, has a value.

    Args:
        name: The value.
        key: The field.
    """
    equal = {"operation": "EQUALS", "key": key, "stringValue": name}
    return json.dumps({"predicates": [equal]})
