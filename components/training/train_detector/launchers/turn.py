"""Admit one group of workers at a time where no queue or gang scheduler places them together.

Kubernetes places pods one by one. Two jobs of several workers that begin at once on a small
cluster may each get nodes for some of their workers, and wait for the rest for ever (deadlock).
A queue (Kueue) or a gang scheduler prevents that; where neither is configured, a job is created
only while no other job of ours is unfinished. After creating one the launcher checks again: of
two jobs created at the same moment the later one finds the other, so they never both stay. A
launcher that finds another job removes its own, and retries sooner the earlier its name is.

A suspended job occupies no nodes. A job that never ran within its time to start has lost its
launcher, which would have removed it, so it is ignored too.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from components.shared.cluster.client import Body, Cluster
from components.shared.contracts.progress import log_progress
from components.training.train_detector.launchers.follow import GRACE_S, JobKind, workers_of
from components.training.train_detector.launchers.outcome import State, WorkerPod
from components.training.train_detector.launchers.pods import LABELS, Job

SELECTOR = ",".join(f"{name}={value}" for name, value in LABELS.items())
WITHOUT_ROOM = (State.SUCCEEDED, State.FAILED, State.SUSPENDED)


def wait_for_turn(cluster: Cluster, kind: JobKind, job: Job, look_every_s: float) -> None:
    """Wait until a job may be created.

    Args:
        cluster: Client of the cluster.
        kind: Kind of the job.
        job: The job to create.
        look_every_s: Poll interval in seconds.

    Raises:
        ClusterError: If the API server does not answer.
    """
    logged = ""
    while ahead := others(cluster, kind, job):
        first = ahead[0]
        if first != logged:
            log_progress(
                f"{job.name}: waits for {first} to end: two jobs without gang scheduling can block "
                "each other (TRAINING_WORKERS: set queue or gang_scheduler to run them together)"
            )
        logged = first
        time.sleep(look_every_s)


def others(cluster: Cluster, kind: JobKind, job: Job) -> list[str]:
    """Return the other jobs that occupy nodes; none if this one is placed as a whole.

    Args:
        cluster: Client of the cluster.
        kind: Kind of the job.
        job: The job to create.

    Raises:
        ClusterError: If the API server does not answer.
    """
    if job.workers < 2 or job.settings.queue or job.settings.gang_scheduler:
        return []
    return sorted(
        str(one["metadata"]["name"])
        for one in cluster.objects(kind.KIND, SELECTOR)
        if one["metadata"]["name"] != job.name
        and _workers(one) > 1
        and _holds_room(cluster, kind, one, job.settings.start_limit_s + GRACE_S)
    )


def _holds_room(cluster: Cluster, kind: JobKind, other: Body, start_within_s: float) -> bool:
    if kind.state_of(other, ()) in WITHOUT_ROOM:
        return False
    if waited_s(other, datetime.now(UTC)) <= start_within_s:
        return True
    return has_run(other, workers_of(cluster, kind, str(other["metadata"]["name"])))


def waited_s(job: Mapping[str, Any], now: datetime) -> float:
    """Return the seconds since a job was created, or resumed after that.

    Args:
        job: The custom resource.
        now: Present time.
    """
    since = [job["metadata"]["creationTimestamp"]]
    since += [
        one["lastTransitionTime"]
        for one in job.get("status", {}).get("conditions", ())
        if one["type"] == "Suspended" and "lastTransitionTime" in one
    ]
    return (now - max(map(datetime.fromisoformat, since))).total_seconds()


def has_run(job: Mapping[str, Any], workers: Sequence[WorkerPod]) -> bool:
    """Return whether any worker of a job has ever run, by its conditions or its pods.

    Args:
        job: The custom resource.
        workers: State of the job's pods.
    """
    types = {one["type"] for one in job.get("status", {}).get("conditions", ())}
    shown = any(one.started or one.exit_code is not None or one.attempt for one in workers)
    return shown or bool(types & {"Running", "Restarting"})


def _workers(job: Mapping[str, Any]) -> int:
    spec = job["spec"]
    of_tfjob = spec.get("tfReplicaSpecs", {}).get("Worker", {}).get("replicas")
    return int(of_tfjob or spec.get("trainer", {}).get("numNodes") or 1)
