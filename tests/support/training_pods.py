"""Jobs and pods as an API server would tell of them."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from kubernetes import client

from components.training.train_detector.launchers.outcome import (
    WorkerPod,
)
from components.training.train_detector.launchers.pods import Job
from components.training.train_detector.launchers.worker_settings import WorkerSettings

START = datetime(2026, 1, 1, tzinfo=UTC)
READER = client.ApiClient()


def made(body, kind):
    """Return a typed object from its JSON."""
    return READER.deserialize(SimpleNamespace(data=json.dumps(body)), kind)


def a_job(settings=None, **changes):
    plain = {
        "name": "train-ab", "namespace": "cars", "fingerprint": "f" * 64, "workers": 2,
        "image": "trainer:1", "settings": settings or WorkerSettings(),
    }  # fmt: skip
    return Job(**{**plain, **changes})


def a_pod(index, state=None, phase="Running", container="tensorflow", life=0, **status):
    """Return a pod; `state` is that of its container, such as {"running": {}}."""
    containers = [{"name": container, "image": "x", "imageID": "x", "ready": True,
                   "restartCount": 0, "state": state}]  # fmt: skip
    labels = {
        "training.kubeflow.org/replica-index": str(index),
        "batch.kubernetes.io/job-completion-index": str(index),
    }
    made_at = (START + timedelta(minutes=life)).isoformat()
    body = {
        "metadata": {"name": f"pod-{index}", "uid": f"{index}.{life}", "labels": labels,
                     "creationTimestamp": made_at},
        "spec": {"containers": [{"name": container, "image": "x"}]},
        "status": {"phase": phase, "containerStatuses": containers if state else [], **status},
    }  # fmt: skip
    return made(body, "V1Pod")


def running(index, **more):
    return a_pod(index, {"running": {}}, **more)


def ended(index, code, words="", after_s=0, **more):
    finished = (START + timedelta(seconds=after_s)).isoformat()
    end = {"exitCode": code, "message": words, "finishedAt": finished, "reason": "Error"}
    return a_pod(index, {"terminated": end}, "Failed" if code else "Succeeded", **more)


def conditions(*names, **messages):
    """Return a job of two workers whose conditions hold, each perhaps with a message."""
    found = [
        {"type": name, "status": "True", "message": messages.get(name, "")}
        for name in (*names, *messages)
    ]
    spec = {"tfReplicaSpecs": {"Worker": {"replicas": 2}}, "trainer": {"numNodes": 2}}
    return {"metadata": {"uid": "1"}, "spec": spec, "status": {"conditions": found}}


def workers(*pods, container="tensorflow"):
    return [WorkerPod.of(pod, number, container) for number, pod in enumerate(pods)]
