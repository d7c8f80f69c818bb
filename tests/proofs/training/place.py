"""The namespace of the proof: its bucket, its secrets, its runtime, and what is in it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from kubernetes import client

from components.images import image
from components.shared.cluster.client import Cluster
from components.shared.contracts.absence import mark_absent
from components.shared.store.objects import Objects
from components.training.train_detector.launchers import tfjob, trainjob
from tests.proofs.stores import Relay, empty, make_bucket
from tests.support.toy_snapshots import write_snapshot

ROOT = Path(__file__).parents[3]
RUNTIME = ROOT / "manifests/components/training-runtime/trainingruntime-workers.yaml"
NAMESPACE = "prove-training"
WORKERS = {"image": image("trainer"), "cpu": "500m", "memory": "1500Mi"}


def listed(kind) -> list[dict]:
    group, version, plural = kind.KIND
    custom = client.CustomObjectsApi()
    return custom.list_namespaced_custom_object(group, version, NAMESPACE, plural)["items"]


def left(cluster: Cluster) -> list:
    """What the sequences have not taken away yet."""
    pods = cluster.pods("app.kubernetes.io/part-of=car-detection")
    return [*listed(tfjob), *listed(trainjob), *pods]


def prepare(api: client.ApiClient, folder: Path, relay: Relay) -> None:
    """Make bucket, snapshot, secret, configuration and runtime, and tell launchers of them."""
    url = make_bucket(NAMESPACE)
    core = client.CoreV1Api(api)
    address = {"url": url, "endpoint": relay.url, "region": "us-east-1", "allow_http": "true"}
    keys = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY"}
    named = {"metadata": {"name": "car-objects"}}
    core.create_namespaced_config_map(NAMESPACE, {**named, "data": address})
    secret = {key: os.environ[name] for key, name in keys.items()}
    core.create_namespaced_secret(NAMESPACE, {**named, "stringData": secret})
    runtime = yaml.safe_load(RUNTIME.read_text())
    custom = client.CustomObjectsApi(api)
    custom.create_namespaced_custom_object(
        *trainjob.KIND[:2], NAMESPACE, "trainingruntimes", runtime
    )
    os.environ |= {
        "OBJECT_STORE_URL": url, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
        "TRAINING_WORKERS": yaml.safe_dump(WORKERS), "KUBECONFIG": in_namespace(folder),
    }  # fmt: skip
    mark_absent(folder / "champion", "this is the first")


@contextmanager
def fresh_objects(folder: Path) -> Iterator[None]:
    """Have the snapshot in the object store and no training, and nothing in it afterwards."""
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    empty(objects)
    write_snapshot(folder / "snapshot", objects)
    yield
    empty(objects)


def in_namespace(folder: Path) -> str:
    """Write a copy of KUBECONFIG whose contexts act in our namespace."""
    settings = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    for one in settings["contexts"]:
        one["context"]["namespace"] = NAMESPACE
    (folder / "kubeconfig").write_text(yaml.safe_dump(settings))
    return str(folder / "kubeconfig")


@contextmanager
def namespace(api: client.ApiClient) -> Iterator[None]:
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": NAMESPACE}})
    try:
        yield
    finally:
        core.delete_namespace(NAMESPACE)
        until(lambda: NAMESPACE not in [n.metadata.name for n in core.list_namespace().items], 60)


def until(condition, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.5)
    return bool(condition())
