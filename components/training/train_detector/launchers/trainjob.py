"""Run a training as a `TrainJob` over a plain runtime; workers connect by pod names."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.shared.cluster.client import Kind
from components.shared.cluster.objects import Pod
from components.shared.contracts.errors import UserError
from components.training.train_detector.launchers.outcome import State, WorkerPod, is_true
from components.training.train_detector.launchers.pods import (
    SECURITY,
    Body,
    Job,
    command,
    environment,
    mounts,
    pod_spec,
    resources,
)
from components.training.train_detector.launchers.worker_settings import WorkerSettings

KIND = Kind("trainer.kubeflow.org", "v1alpha1", "trainjobs")
CONTAINER = "node"  # the runtime's job and its container have this name
NEEDS = "the Kubeflow trainer (TrainJob v1alpha1)"
INDEX = "batch.kubernetes.io/job-completion-index"
MAX_RESTARTS = {"car-workers": 5}  # `maxRestarts` of the TrainingRuntime that is ours


def selector(name: str) -> str:
    """Return the label selector of a job's pods."""
    return f"jobset.sigs.k8s.io/jobset-name={name},jobset.sigs.k8s.io/replicatedjob-name=node"


def index_of(pod: Pod) -> int:
    """Return a pod's number among the workers; on older clusters from an annotation."""
    return int({**(pod.metadata.annotations or {}), **pod.metadata.labels}[INDEX])


def state_of(job: Mapping[str, Any], workers: Sequence[WorkerPod]) -> State:
    """Return the state of a job from its conditions, or from its pods if there are none.

    Args:
        job: The custom resource.
        workers: State of the job's pods.
    """
    for name, state in (
        ("Complete", State.SUCCEEDED),
        ("Failed", State.FAILED),
        ("Suspended", State.SUSPENDED),
    ):
        if is_true(job, name):
            return state
    if workers and _all_run(workers, job["spec"]["trainer"]["numNodes"]):
        return State.RUNNING
    if any(one.exit_code or one.attempt for one in workers):
        return State.RESTARTING
    return State.CREATED if workers or job.get("status", {}).get("jobsStatus") else State.UNSEEN


def _all_run(workers: Sequence[WorkerPod], expected: int) -> bool:
    return sum(one.running or one.exit_code == 0 for one in workers) == expected


def body(job: Job) -> Body:
    """Return the custom resource.

    Raises:
        UserError: If a setting is one that a `TrainJob` cannot carry.
    """
    settings = job.settings
    _check(settings)
    container = {
        "name": CONTAINER,
        "volumeMounts": mounts(settings),
        "securityContext": SECURITY,
    }
    pod = {"spec": {**pod_spec(settings), "containers": [container]}}
    patch = {"replicatedJobs": [{"name": "node", "template": {"spec": {"template": pod}}}]}
    return {
        "apiVersion": f"{KIND.group}/{KIND.version}",
        "kind": "TrainJob",
        "metadata": job.metadata,
        "spec": {
            "activeDeadlineSeconds": settings.time_limit_s,
            "runtimeRef": {
                "apiGroup": KIND.group,
                "kind": "TrainingRuntime",
                "name": settings.runtime,
            },
            "trainer": {
                "image": job.image,
                "command": command(job),
                "env": environment(job),
                "numNodes": job.workers,
                "resourcesPerNode": resources(settings),
            },
            "runtimePatches": [
                {
                    "manager": "car-detection.local/train-detector",
                    "trainingRuntimeSpec": {"template": {"spec": patch}},
                }
            ],
        },
    }


def _check(settings: WorkerSettings) -> None:
    for name in ("image_pull_policy", "priority_class"):
        if value := getattr(settings, name):
            raise UserError(
                f"TRAINING_WORKERS: {name} is {value!r}, but a TrainJob takes it from its "
                f"TrainingRuntime {settings.runtime}; expected it there"
            )
    most = MAX_RESTARTS.get(settings.runtime, settings.restarts)
    if settings.restarts > most:
        raise UserError(
            f"TRAINING_WORKERS: restarts is {settings.restarts}, but the TrainingRuntime "
            f"{settings.runtime} begins a TrainJob again at most {most} times; expected no more"
        )
