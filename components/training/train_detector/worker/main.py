"""Run one worker of a training, with TF_CONFIG.

Called as `python -m components.training.train_detector.worker.main FOLDER`. The process ends
when its standard input is closed, so it does not outlive its parent.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from components.shared.contracts.errors import ApplicationError, ExitCode, OutageError
from components.shared.store.objects import Objects, StoreError
from components.training.train_detector.worker.environment import import_tensorflow_slim


class WorkerLostError(OutageError):
    """Another worker was lost, so that no step can be completed."""


def main(arguments: list[str]) -> int:
    """Train by the plan in a folder, and return the exit code."""
    (folder,) = arguments
    threading.Thread(target=_die_with_parent, daemon=True).start()
    return exit_code(lambda: work(Path(folder), os.environ))


def exit_code(do: Callable[[], None], last_words: Path | None = None) -> int:
    """Run a function, print the sentence of its error, and return the exit code of a worker.

    A process that gets SIGTERM leaves by `Stopped`.

    Args:
        do: Function to run.
        last_words: A file that takes the reason, too, if it is there.
    """
    try:
        do()
    except (ApplicationError, StoreError) as error:
        print(error, file=sys.stderr, flush=True)
        if last_words and last_words.exists():
            last_words.write_text(str(error))
        return ExitCode.RESTART if isinstance(error, StoreError) else ExitCode.of_worker(error)
    return ExitCode.SUCCEEDED


def work(folder: Path, environment: Mapping[str, str]) -> None:
    """Run one worker of a training; the chief stores the outcome.

    Args:
        folder: Laid out as `PlanLayout`.
        environment: OBJECT_STORE_URL, and if we are not alone TF_CONFIG, the cluster and
            our place in it; WORKER_THREADS for a step, otherwise our share of the
            machine's cores; WORKER_COMMUNICATION, `ring`, `nccl` or `auto`.

    Raises:
        UserError: If the plan is of other code, or cannot be followed.
        WorkerLostError: If another worker is gone.
        StoreError: If the object store fails, whatever was tried again.
        Stopped: If we or another worker were told to stop; checkpoints are there.
    """
    from components.training.train_detector.plan.plan import Plan, PlanLayout, check_code
    from components.training.train_detector.worker.training_store import TrainingStore

    layout = PlanLayout(folder)
    plan = Plan.read(layout.plan)
    check_code(plan)
    store = TrainingStore(Objects(environment["OBJECT_STORE_URL"]), plan.fingerprint)

    import_tensorflow_slim()
    from components.training.train_detector.learning.run import run
    from components.training.train_detector.worker.devices import LOST, strategy_for, use_threads

    index, workers = place(json.loads(environment.get("TF_CONFIG") or "{}"))
    threads = int(environment.get("WORKER_THREADS") or (os.cpu_count() or 1) // workers)
    use_threads(max(1, threads))
    try:
        strategy = strategy_for(index, workers, environment.get("WORKER_COMMUNICATION", "ring"))
        run(layout, plan, store.objects, store.checkpoints(index), strategy, index)
    except LOST as cause:
        raise WorkerLostError(f"worker {index} stopped: another worker is lost: {cause}") from cause
    if index == 0:
        store.send_outcome(layout.trained)


def place(cluster: Mapping[str, Any]) -> tuple[int, int]:
    """Return the worker's number and the number of workers; a `chief`, if any, is number 0.

    >>> place({"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}})
    (1, 2)
    >>> place({})
    (0, 1)
    """
    hosts = dict(cluster.get("cluster") or {"worker": [""]})
    task = dict(cluster.get("task") or {"type": "worker", "index": 0})
    chiefs = len(hosts.get("chief", ()))
    index = int(task["index"]) + (chiefs if task["type"] == "worker" else 0)
    return index, chiefs + len(hosts.get("worker", ()))


def _die_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
