"""Build the pod of a worker: image, environment, resources, volumes and security context."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.training.train_detector.launchers.worker_settings import WorkerSettings
from components.training.train_detector.worker.environment import ENVIRONMENT

Body = dict[str, Any]

PORT = 2222  # of a worker, for the others
FROM_CONFIG = {
    "OBJECT_STORE_URL": "url",
    "AWS_ENDPOINT_URL": "endpoint",
    "AWS_REGION": "region",
    "AWS_ALLOW_HTTP": "allow_http",
}
FROM_SECRET = {"AWS_ACCESS_KEY_ID": "access_key", "AWS_SECRET_ACCESS_KEY": "secret_key"}
LABELS = {  # network policies know workers by them
    "app.kubernetes.io/name": "train-detector",
    "app.kubernetes.io/part-of": "car-detection",
}
QUEUE = "kueue.x-k8s.io/queue-name"
SECURITY: Body = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
GRACE_S = 30  # to finish a step and write a checkpoint
WRITERS = 1000  # group that may write to mounted claims, whatever the user


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Parameters of a training's custom resource.

    Attributes:
        name: Of the resource, and the stem of its pods' names.
        namespace: Where it runs.
        fingerprint: Of the plan that waits in the object store.
        workers: Number of pods.
        image: Container image.
        settings: Settings of the pods.
        owner: Owner references; a job without one stays until someone removes it.
    """

    name: str
    namespace: str
    fingerprint: str
    workers: int
    image: str
    settings: WorkerSettings
    owner: tuple[Mapping[str, Any], ...] = ()

    @property
    def metadata(self) -> Body:
        """Return the resource's metadata."""
        return {
            "name": self.name,
            "namespace": self.namespace,
            "labels": {**LABELS, **({QUEUE: self.settings.queue} if self.settings.queue else {})},
            **({"ownerReferences": list(map(dict, self.owner))} if self.owner else {}),
        }


def job_name(fingerprint: str, snapshot: str) -> str:
    """Return the job name of a training, the same for all attempts.

    Args:
        fingerprint: Fingerprint of the plan.
        snapshot: Id of the snapshot.

    >>> job_name("ab" * 32, "cd" * 32)
    'train-abababababab-cdcdcdcd'
    """
    return f"train-{fingerprint[:12]}-{snapshot[:8]}"


def command(job: Job) -> list[str]:
    """Return the command of a worker's container."""
    return ["python", "-m", "components.training.train_detector.launchers.pod", job.fingerprint]


def environment(job: Job) -> list[Body]:
    """Return a worker's environment variables; secrets stay references."""
    plain = {
        "HOME": "/tmp",  # the root file system is read-only
        **ENVIRONMENT,
        "WORKER_JOB": job.name,
        "WORKER_THREADS": str(job.settings.threads),
        "WORKER_COMMUNICATION": job.settings.communication,
    }
    return [
        *({"name": name, "value": value} for name, value in plain.items()),
        *(_reference(name, "configMapKeyRef", key) for name, key in FROM_CONFIG.items()),
        *(_reference(name, "secretKeyRef", key) for name, key in FROM_SECRET.items()),
    ]


def _reference(name: str, kind: str, key: str) -> Body:
    """Point at a key of `car-objects`; only the address must be there (a volume has no keys)."""
    where: Body = {"name": "car-objects", "key": key}
    return {"name": name, "valueFrom": {kind: {**where, "optional": key != "url"}}}


def resources(settings: WorkerSettings) -> Body:
    """Return equal requests and limits, so that no worker waits for a slow one."""
    room = {"cpu": settings.cpu, "memory": settings.memory}
    if settings.gpus:
        room[settings.gpu_resource] = str(settings.gpus)
    return {"requests": room, "limits": dict(room)}


def mounts(settings: WorkerSettings) -> list[Body]:
    """Return a worker's volumes and mounts: scratch space and claims."""
    claims = [
        {"name": f"claim-{number}", "mountPath": one.path, "readOnly": one.read_only}
        for number, one in enumerate(settings.volumes)
    ]
    return [{"name": "tmp", "mountPath": "/tmp"}, *claims]


def pod_spec(settings: WorkerSettings) -> Body:
    """Return the pod's fields beside its container, only those that are set."""
    claims: list[Body] = [
        {"name": f"claim-{number}", "persistentVolumeClaim": {"claimName": one.claim}}
        for number, one in enumerate(settings.volumes)
    ]
    tolerations = [one.model_dump(exclude_defaults=True) for one in settings.tolerations]
    security: Body = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "serviceAccountName": settings.service_account,
        "terminationGracePeriodSeconds": GRACE_S,
        "securityContext": {**security, **({"fsGroup": WRITERS} if claims else {})},
        "volumes": [{"name": "tmp", "emptyDir": {}}, *claims],
        **({"nodeSelector": settings.node_selector} if settings.node_selector else {}),
        **({"tolerations": tolerations} if tolerations else {}),
    }
