"""Run a training as a `TFJob`: its operator creates the pods and their TF_CONFIG."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.shared.cluster.client import Kind
from components.shared.cluster.objects import Pod
from components.shared.contracts.errors import RETRIED_FROM
from components.training.train_detector.launchers.outcome import State, WorkerPod, is_true
from components.training.train_detector.launchers.pods import (
    LABELS,
    PORT,
    SECURITY,
    Body,
    Job,
    command,
    environment,
    mounts,
    pod_spec,
    resources,
)

KIND = Kind("kubeflow.org", "v1", "tfjobs")
CONTAINER = "tensorflow"  # the name that the operator requires
NEEDS = "the training operator (TFJob v1)"

# The first that holds is the state: a job that restarts was running before, and says both.
STATES = {
    "Succeeded": State.SUCCEEDED,
    "Failed": State.FAILED,
    "Suspended": State.SUSPENDED,
    "Restarting": State.RESTARTING,
    "Running": State.RUNNING,
    "Created": State.CREATED,
}


def selector(name: str) -> str:
    """Return the label selector of a job's pods."""
    return f"training.kubeflow.org/job-name={name}"


def index_of(pod: Pod) -> int:
    """Return a pod's number among the workers."""
    return int(pod.metadata.labels["training.kubeflow.org/replica-index"])


def state_of(job: Mapping[str, Any], workers: Sequence[WorkerPod]) -> State:
    """Return the state of a job from its conditions; it is running as soon as one worker is.

    Args:
        job: The custom resource.
        workers: State of the job's pods.
    """
    state = next((state for name, state in STATES.items() if is_true(job, name)), State.UNSEEN)
    if state != State.RUNNING:
        return state
    if any((one.exit_code or 0) >= RETRIED_FROM for one in workers):
        return State.RESTARTING
    expected = job["spec"]["tfReplicaSpecs"]["Worker"]["replicas"]
    started = sum(one.started for one in workers)
    return State.RUNNING if started == expected else State.CREATED


def body(job: Job) -> Body:
    """Return the custom resource."""
    return {
        "apiVersion": f"{KIND.group}/{KIND.version}",
        "kind": "TFJob",
        "metadata": job.metadata,
        "spec": {
            "runPolicy": {
                "activeDeadlineSeconds": job.settings.time_limit_s,
                "cleanPodPolicy": "Running",  # what has ended keeps its log
                "ttlSecondsAfterFinished": job.settings.keep_s,
            },
            "tfReplicaSpecs": {
                "Worker": {
                    "replicas": job.workers,
                    "restartPolicy": "ExitCode",  # from 128 on again, below for good
                    "template": {"metadata": {"labels": LABELS}, "spec": _pod(job)},
                }
            },
        },
    }


def _pod(job: Job) -> Body:
    settings = job.settings
    container = {
        "name": CONTAINER,
        "image": job.image,
        "command": command(job),
        "env": environment(job),
        "ports": [{"name": "tfjob-port", "containerPort": PORT}],
        "resources": resources(settings),
        "volumeMounts": mounts(settings),
        "securityContext": SECURITY,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **({"imagePullPolicy": settings.image_pull_policy} if settings.image_pull_policy else {}),
    }
    return {
        **pod_spec(settings),
        "containers": [container],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **({"priorityClassName": settings.priority_class} if settings.priority_class else {}),
        **({"schedulerName": settings.gang_scheduler} if settings.gang_scheduler else {}),
    }
