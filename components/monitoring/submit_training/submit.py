"""Submit the training run of a window idempotently, under an advisory lock.

Killed at any line and run again, there is still one run for the window.
"""

from collections.abc import Callable, Mapping
from typing import Any

from psycopg2 import extensions

from components.shared.contracts.progress import log_progress
from components.shared.contracts.snapshot import WindowInfo
from components.shared.store.registry import Registry

Start = Callable[[str, str], str]


def starter(host: str, chosen: Mapping[str, Any]) -> Start | None:
    """Return a function that starts train runs on a host, or None if there is no host.

    Args:
        host: URL of Kubeflow Pipelines; empty returns None.
        chosen: Pipeline parameters by name; the others keep their defaults.
    """
    if not host:
        return None
    from components.shared.kubeflow.client import connect
    from components.shared.kubeflow.runs import train_once

    def start(dataset: str, window: str) -> str:
        return f"run {train_once(connect(host), dataset, window, chosen)} on {host}"

    return start


def submit(
    connection: extensions.connection,
    dataset: str,
    window: WindowInfo,
    start: Start | None,
    *,
    wanted: bool = True,
) -> str:
    """Submit the training run of a window, unless one was submitted.

    The run is started before it is recorded: a process that is killed in between finds the run
    by its name when it is tried again. Others who submit the same window wait until the
    connection is closed.

    Args:
        connection: An open connection to a migrated database, for this alone.
        dataset: Name of the dataset.
        window: The window of the decision.
        start: Starts or finds the run for a dataset and a window's id, and returns its name;
            None if there is no host, so that a person has to start it.
        wanted: Whether retraining was decided; if not, nothing happens.

    Returns:
        The command that starts the training, or the run that was started; empty if none is wanted.
    """
    if not wanted:
        log_progress(f"no training of {dataset} for window {window.id[:12]}: none was decided")
        return ""
    _wait_for_turn(connection, window.id)
    registry = Registry(connection)
    if known := registry.submitted(window.id):
        log_progress(f"already submitted for window {window.id[:12]}: {known}")
        return known
    by_hand = f"python -m pipelines run train --dataset {dataset}"
    command = start(dataset, window.id) if start else by_hand
    registry.submit(window.id, dataset, command)
    asked = f"training of {dataset} for window {window.id[:12]}"
    log_progress(f"{asked} submitted: {command}" if start else f"{asked}: start it with {command}")
    return command


def _wait_for_turn(connection: extensions.connection, window: str) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('submit ' || %s, 0))", (window,))
