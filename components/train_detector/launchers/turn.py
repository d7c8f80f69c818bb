"""One gang of workers after the other, where nothing else places a gang as a whole.

Kubernetes places pods one by one. Two jobs of several workers that begin at once on a small
cluster may each get room for some of their workers, and wait for the rest for ever. A queue
(Kueue) or a gang scheduler prevents that; where neither is named, a job is made only while no
other of ours is unfinished. Whoever has made one looks again: of two that were made at the same
moment the later one sees the other, so both never stay. Whoever sees another removes its own,
and the earlier its name, the sooner it tries again.
"""

import time
from collections.abc import Mapping
from typing import Any

from components.cluster.client import Cluster
from components.contracts.progress import say
from components.train_detector.launchers.follow import JobKind
from components.train_detector.launchers.outcome import State
from components.train_detector.launchers.pods import LABELS, Job

SELECTOR = ",".join(f"{name}={value}" for name, value in LABELS.items())
ENDED = (State.SUCCEEDED, State.FAILED)


def wait_for_turn(cluster: Cluster, kind: JobKind, job: Job, look_every_s: float) -> None:
    """Return when a job may be made.

    Raises:
        ClusterError: If the API server does not answer.
    """
    told = ""
    while ahead := others(cluster, kind, job):
        first = ahead[0]
        if first != told:
            say(
                f"{job.name}: waits for {first} to end, because two gangs at once may hold each "
                "other's room (TRAINING_WORKERS: queue or gang_scheduler let them run together)"
            )
        told = first
        time.sleep(look_every_s)


def others(cluster: Cluster, kind: JobKind, job: Job) -> list[str]:
    """Return the names of the other unfinished gangs; none if this one is placed as a whole.

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
        and kind.state_of(one, ()) not in ENDED
    )


def _workers(job: Mapping[str, Any]) -> int:
    spec = job["spec"]
    of_tfjob = spec.get("tfReplicaSpecs", {}).get("Worker", {}).get("replicas")
    return int(of_tfjob or spec.get("trainer", {}).get("numNodes") or 1)
