"""Run one worker in a pod.

Called as `python -m components.training.train_detector.launchers.pod FINGERPRINT`. The plan
comes from the object store, and the outcome is stored there. Without TF_CONFIG from an operator,
it is derived from the pod's number and the pod names of a plain runtime.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from components.shared.contracts.progress import log_progress
from components.training.train_detector.launchers.pods import PORT
from components.training.train_detector.worker.main import exit_code, work

LAST_WORDS = Path("/dev/termination-log")  # what Kubernetes keeps of a container that ended


def main(arguments: list[str]) -> int:
    """Train by the plan of a fingerprint, and return the exit code."""
    (fingerprint,) = arguments
    # The first process of a container is deaf to signals that it does not handle.
    signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    return exit_code(lambda: work_in_pod(fingerprint, os.environ), LAST_WORDS)


def work_in_pod(fingerprint: str, environment: Mapping[str, str]) -> None:
    """Fetch a plan and run one worker, unless the outcome is stored already.

    Args:
        fingerprint: Names the plan in the object store.
        environment: As for `worker.work`; otherwise WORKER_JOB and JOB_COMPLETION_INDEX.

    Raises:
        UserError: If there is no such plan, it is of other code, or cannot be followed.
        WorkerLostError: If another worker is gone.
    """
    from components.shared.store.objects import Objects
    from components.training.train_detector.plan.plan import Plan, PlanLayout
    from components.training.train_detector.worker.training_store import TrainingStore

    store = TrainingStore(Objects(environment["OBJECT_STORE_URL"]), fingerprint)
    if store.complete():
        log_progress("nothing to do: the outcome of this training is in the object store")
        return
    with TemporaryDirectory() as folder:
        store.fetch_plan(Path(folder))
        workers = Plan.read(PlanLayout(folder).plan).settings.workers
        config = environment.get("TF_CONFIG")
        if config is None and workers > 1:
            config = tf_config(
                environment["WORKER_JOB"], int(environment["JOB_COMPLETION_INDEX"]), workers
            )
            os.environ["TF_CONFIG"] = config  # TensorFlow reads it there
        work(Path(folder), {**environment, "TF_CONFIG": config or ""})


def tf_config(job: str, index: int, workers: int) -> str:
    """Return TF_CONFIG from the names that a plain runtime gives the pods of a `TrainJob`.

    Args:
        job: Its name.
        index: Our number.
        workers: Number of workers.

    >>> print(tf_config("job", 1, 2))
    {"cluster": {"worker": ["job-node-0-0.job:2222", "job-node-0-1.job:2222"]}, \
"task": {"type": "worker", "index": 1}}
    """
    hosts = [f"{job}-node-0-{number}.{job}:{PORT}" for number in range(workers)]
    return json.dumps({"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
