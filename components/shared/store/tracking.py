"""Log trainings to MLflow, one run for each fingerprint; failures never stop a training.

MLFLOW_TRACKING_URI is the address of MLflow; without it nothing is logged. Credentials come
from MLflow's own environment variables, such as MLFLOW_TRACKING_TOKEN.
"""

import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.shared.contracts.model import Lineage
from components.shared.contracts.progress import log_progress

# Defaults of MLflow's environment variables, unless the user sets them: short timeouts instead of
# minutes, no telemetry, and a local folder allowed as the store.
MLFLOW_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
PASSWORD = re.compile(r"(?<=//)[^/@\s]+@")
MAX_ERROR_CHARS = 300  # characters of what went wrong


@dataclass(frozen=True, slots=True)
class Tracked:
    """Content of one training's MLflow run.

    Attributes:
        lineage: What it is of; its dataset names the experiment, its fingerprint the run.
        params: Parameters of the run.
        metrics: Values by name, by step.
        tags: A word or two about it, by name; `mlflow.note.content` is its description.
        files: Small files that are there, by the name that they are kept under.
    """

    lineage: Lineage
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


def track(environment: Mapping[str, str], *several: Tracked) -> None:
    """Log missing content to MLflow, and print a line if it cannot be reached.

    Args:
        environment: MLFLOW_TRACKING_URI, if runs are tracked.
        *several: What is to be kept, each about a training.
    """
    address = environment.get("MLFLOW_TRACKING_URI", "")
    if not address or not several:
        return
    try:
        client = _client(address)
        for tracked in several:
            _send(client, tracked)
    except Exception as cause:  # whatever it is, nobody's training may be lost for it
        words = PASSWORD.sub("", f"{address}: {' '.join(str(cause).split())}")
        log_progress(f"MLflow tracking skipped: {words[:MAX_ERROR_CHARS]}")


def origins(lineage: Lineage) -> dict[str, str | int | float | bool]:
    """Return the lineage of a model as MLflow parameters."""
    whole = lineage.model_dump(exclude={"settings", "fingerprint"})
    return {**lineage.settings, **whole}


def _client(address: str) -> Any:
    for name, value in MLFLOW_ENVIRONMENT.items():
        os.environ.setdefault(name, value)

    from mlflow import MlflowClient

    return MlflowClient(address)


def _send(client: Any, tracked: Tracked) -> None:
    from mlflow.entities import Metric, Param, RunTag

    run = _run(client, tracked.lineage)
    now = int(time.time() * 1000)
    known = _known(client, run, {name for values in tracked.metrics.values() for name in values})
    metrics = [
        Metric(name, float(value), now, step)
        for step, values in tracked.metrics.items()
        for name, value in values.items()
        if (name, step) not in known
    ]
    params = [Param(name, str(value)) for name, value in tracked.params.items()]
    tags = [RunTag(name, value) for name, value in tracked.tags.items()]
    client.log_batch(run, params=params, tags=tags)
    for first in range(0, len(metrics), 1000):  # the most that a server takes at once
        client.log_batch(run, metrics=metrics[first : first + 1000])
    with TemporaryDirectory() as folder:
        for name, file in tracked.files.items():
            kept = Path(folder, name)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, kept)
        client.log_artifacts(run, folder)
    client.set_terminated(run)


def _run(client: Any, lineage: Lineage) -> str:
    """Return the id of a training's run, which is made when it is asked for first."""
    experiment = _experiment(client, lineage.dataset)
    asked = f"tags.fingerprint = '{lineage.fingerprint}'"
    for run in client.search_runs([experiment], asked, max_results=1):
        return str(run.info.run_id)
    kind = "from_scratch" if lineage.start == "scratch" else "fine_tuned"
    name = f"{kind} {lineage.snapshot[:8]} {lineage.fingerprint[:8]}"
    tags = {"fingerprint": lineage.fingerprint, "snapshot": lineage.snapshot}
    return str(client.create_run(experiment, tags=tags, run_name=name).info.run_id)


def _experiment(client: Any, name: str) -> str:
    from mlflow.exceptions import MlflowException

    if found := client.get_experiment_by_name(name):
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(name))
    except MlflowException:
        if found := client.get_experiment_by_name(name):  # another training was quicker
            return str(found.experiment_id)
        raise


def _known(client: Any, run: str, names: Iterable[str]) -> set[tuple[str, int]]:
    """Return the names and steps of what an earlier attempt sent."""
    return {
        (name, metric.step) for name in names for metric in client.get_metric_history(run, name)
    }
