"""Run workers on a cluster: one custom resource, shared by all attempts at the same training.

An attempt that finds the job of an earlier, killed one adopts it. SIGTERM removes the job;
SIGKILL leaves it to the next attempt. A job that lost a pod to a drain is created again.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.shared.cluster.client import Cluster, ConflictError
from components.shared.cluster.objects import Pod
from components.shared.contracts.errors import UserError
from components.shared.contracts.progress import log_progress
from components.shared.contracts.stopping import leaving_on_sigterm
from components.shared.store.objects import Objects
from components.training.train_detector.launchers.follow import (
    LOOK_EVERY_S,
    JobFollower,
    JobKind,
    OverdueError,
)
from components.training.train_detector.launchers.outcome import (
    DisruptedError,
    State,
    TrainingError,
)
from components.training.train_detector.launchers.pods import Job, job_name
from components.training.train_detector.launchers.turn import others, wait_for_turn
from components.training.train_detector.launchers.worker_settings import (
    WorkerSettings,
    worker_settings,
)
from components.training.train_detector.plan.plan import Plan
from components.training.train_detector.worker.training_store import TrainingStore

ACCOUNT = "car-launcher"
REMOVED_WITHIN_S = 180.0


@dataclass(frozen=True, slots=True)
class ClusterLauncher:
    """Launches jobs of one kind on the cluster of the environment.

    Attributes:
        kind: Such as the module `tfjob`.
        environment: TRAINING_WORKERS, and what `Cluster.connect` reads; POD_NAME or
            KFP_POD_NAME of our own pod, whose image workers run and with whose run jobs end.
    """

    kind: JobKind
    environment: Mapping[str, str]

    def __call__(self, work: Path, plan: Plan, objects: Objects) -> None:
        """Run the workers of a plan as pods; see `launchers.Launcher`.

        Raises:
            ClusterError: If the API server does not answer.
        """
        settings = worker_settings(self.environment.get("TRAINING_WORKERS", ""))
        _check_reach(objects, settings)
        cluster = Cluster.connect(ACCOUNT)
        if not cluster.serves(self.kind.KIND):
            raise UserError(
                f"the cluster knows no {self.kind.KIND.plural}, needs {self.kind.NEEDS}"
            )
        mine = self.environment.get("POD_NAME") or self.environment.get("KFP_POD_NAME")
        job = job_of(plan, settings, cluster.namespace, cluster.pod(mine) if mine else None)
        TrainingStore(objects, plan.fingerprint).send_plan(work)
        launch(cluster, self.kind, job)


def job_of(plan: Plan, settings: WorkerSettings, namespace: str, own: Pod | None) -> Job:
    """Return the parameters of a plan's custom resource.

    Args:
        plan: To be followed.
        settings: Settings of the pods.
        namespace: Where they run.
        own: Our own pod (`V1Pod`), or None outside the cluster.

    Raises:
        UserError: If there is no image to run.
    """
    image = settings.image or (_image_of(own) if own else "")
    if not image:
        raise UserError(
            "TRAINING_WORKERS: image is not set, and the launcher's pod, whose image is the "
            "default, is not known; expected image: <registry>/trainer:<tag>"
        )
    return Job(
        name=job_name(plan.fingerprint, plan.info.lineage.snapshot),
        namespace=namespace,
        fingerprint=plan.fingerprint,
        workers=plan.settings.workers,
        image=image,
        settings=settings,
        owner=(_reference(own),) if own else (),
    )


def launch(cluster: Cluster, kind: JobKind, job: Job, look_every_s: float = LOOK_EVERY_S) -> None:
    """Create a job or adopt it, and follow it to its end.

    A job that failed because a pod was deleted, evicted or drained is made anew, within
    `restarts` of the settings; its workers go on where the last checkpoint is.

    Args:
        cluster: Where it runs.
        kind: Kind of the job.
        job: Parameters of the job.
        look_every_s: Pause between two looks.

    Raises:
        UserError: If a worker refused what the user gave.
        TrainingError: If the job failed, is gone, or took too long.
        ClusterError: If the API server does not answer; the job goes on.
    """
    with leaving_on_sigterm():
        try:
            _follow(cluster, kind, job, look_every_s)
        except (KeyboardInterrupt, SystemExit, OverdueError):
            cluster.delete(kind.KIND, job.name, last=True)
            log_progress(f"{job.name}: removed, with its workers")
            raise


def _follow(cluster: Cluster, kind: JobKind, job: Job, look_every_s: float) -> None:
    uid = begin(cluster, kind, job, look_every_s)
    follower = JobFollower(cluster, kind, job, uid, look_every_s)
    while True:
        try:
            return follower.follow()
        except DisruptedError as disruption:
            log_progress(f"{job.name}: {disruption}, which resumes from the last checkpoint")
            follower.uid = begin(cluster, kind, job, look_every_s)


def begin(cluster: Cluster, kind: JobKind, job: Job, look_every_s: float) -> str:
    """Create a job and return its uid, or that of the running one.

    One that has ended is of no use: it left no outcome, else nobody would begin.

    Args:
        cluster: Client of the cluster.
        kind: Kind of the job.
        job: Parameters of the job.
        look_every_s: Poll interval in seconds.
    """
    deadline = time.monotonic() + REMOVED_WITHIN_S
    while time.monotonic() < deadline:
        there = cluster.get(kind.KIND, job.name)
        if there is None:
            if uid := _made(cluster, kind, job, look_every_s):
                return uid
            deadline = time.monotonic() + REMOVED_WITHIN_S
            continue
        if not there["metadata"].get("deletionTimestamp"):
            if kind.state_of(there, ()) not in (State.FAILED, State.SUCCEEDED):
                log_progress(f"{job.name}: is running already, so this attempt adopts it")
                return str(there["metadata"]["uid"])
            log_progress(f"{job.name}: removing the job of an earlier attempt")
            cluster.delete(kind.KIND, job.name, last=True)
        time.sleep(look_every_s)
    raise TrainingError(f"{job.name} is still being removed after {REMOVED_WITHIN_S:.0f} s")


def _made(cluster: Cluster, kind: JobKind, job: Job, look_every_s: float) -> str:
    """Make a job when it is its turn and return its uid; or nothing, if another was made, too."""
    wait_for_turn(cluster, kind, job, look_every_s)
    try:
        made = cluster.create(kind.KIND, kind.body(job))
    except ConflictError:
        return ""
    rivals = others(cluster, kind, job)
    if not rivals:
        return str(made["metadata"]["uid"])
    cluster.delete(kind.KIND, job.name, last=True)
    time.sleep(look_every_s * (1 + sum(name < job.name for name in rivals)))
    return ""


def _image_of(pod: Pod) -> str:
    """Return the image of a pod's main container, as Argo calls it, or of its only one."""
    by_name = {one.name: str(one.image) for one in pod.spec.containers}
    return by_name.get("main") or next(iter(by_name.values()))


def _reference(pod: Pod) -> dict[str, Any]:
    """Let a job end with what controls our pod, which outlives it: the run, such as Argo's.

    Our pod may be removed, and the next attempt then needs the job. Only a pod that nothing
    controls is an owner itself. Neither blocks its own removal: that would take more rights.
    """
    for one in pod.metadata.owner_references or ():
        if one.controller:
            return {
                "apiVersion": one.api_version,
                "kind": one.kind,
                "name": one.name,
                "uid": one.uid,
            }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": pod.metadata.name,
        "uid": pod.metadata.uid,
    }


def _check_reach(objects: Objects, settings: WorkerSettings) -> None:
    if objects.url.startswith("file:") and not settings.volumes:
        raise UserError(
            f"the object store is {objects.url}, which pods of workers do not see; expected one "
            f"that they reach, such as s3://bucket, or volumes in TRAINING_WORKERS"
        )
