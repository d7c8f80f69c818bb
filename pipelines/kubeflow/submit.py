"""Send a compiled pipeline to a Kubeflow Pipelines host, through its SDK."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfp import Client, compiler
from kfp_server_api import ApiException
from urllib3.exceptions import HTTPError

from components.contracts.refusal import Refusal
from pipelines.graphs import GRAPHS

EXPERIMENT = "car-detection"


def submit(
    name: str, host: str, parameters: Mapping[str, Any], client: Client | None = None
) -> str:
    """Start one run and return its id.

    Args:
        name: `train`, `deploy`, `watch` or `batch`.
        host: URL of the Kubeflow Pipelines API.
        parameters: Pipeline parameters by name.
        client: Speaks to the host; made from `host` if it is missing.

    Raises:
        KeyError: If there is no such pipeline.
        Refusal: If the host does not answer, or does not take the run.
    """
    with TemporaryDirectory() as folder:
        package = str(Path(folder) / f"{name}.yaml")
        compiler.Compiler().compile(GRAPHS[name], package)
        try:
            run = (client or Client(host=host)).create_run_from_pipeline_package(
                package,
                arguments=dict(parameters),
                experiment_name=EXPERIMENT,
                enable_caching=False,
            )
        except (HTTPError, ApiException) as cause:
            raise Refusal(f"{host} does not take the run: {str(cause)[:300]}") from cause
    return str(run.run_id)
