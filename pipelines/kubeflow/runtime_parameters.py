"""Validate the runtime parameters of a run on Kubeflow Pipelines before it is submitted."""

from collections.abc import Mapping
from typing import Any

from components.shared.contracts.errors import UserError
from components.shared.contracts.object_store import REMOTE_SCHEMES, scheme_of
from pipelines.parameters import checked

UPLOAD = "upload the files to the object store and name them as s3://bucket/prefix"


def runtime_parameters(pipeline: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return validated parameters of a pipeline, if its tasks can use them in a cluster.

    Args:
        pipeline: Command-line name of the pipeline.
        given: Pipeline parameters by name.

    Raises:
        UserError: If there is no such pipeline or parameter, a value is not allowed, or it names a
            folder, which exists on this machine alone.
    """
    source = str(given.get("source", ""))
    if pipeline == "import" and scheme_of(source) not in REMOTE_SCHEMES:
        raise UserError(
            f"import: source is {source!r}, which no task of a cluster sees; expected an address "
            f"in an object store ({', '.join(REMOTE_SCHEMES)}): {UPLOAD}"
        )
    parameters = checked(pipeline, given)
    if pipeline == "batch" and parameters.get("folder"):
        raise UserError(
            f"batch: folder is {parameters['folder']!r}, which no task of a cluster sees; expected "
            "none: import the images first, or run batch on this machine"
        )
    return parameters
