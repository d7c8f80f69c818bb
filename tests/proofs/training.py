"""Trainings on a real API server: what happens to jobs, to launchers, and what two pods learn.

Where the training operator or the trainer runs in the cluster it is the controller of its jobs,
elsewhere the stand-in `tests.standins.training_operator`; pods, their names, logs, exit codes
and deletions are real, and the workers' image is the trainer's. Needs KUBECONFIG of a cluster
with the CRDs whose node has the image and reaches this machine, and an S3 by AWS_ENDPOINT_URL,
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `tests.proofs.cluster_needs` checks all of it.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml
from kubernetes import client

from components.cluster.client import Cluster
from components.contracts.absence import mark_absent
from components.contracts.model import TrainedLayout
from components.contracts.record import read_lines
from components.images import image
from components.store.objects import Objects
from components.train_detector.history import Epoch
from components.train_detector.launchers import tfjob, trainjob
from tests.components.train_detector.toys import write_snapshot
from tests.proofs.controllers import controller_of, running_controllers
from tests.proofs.needs import need_cluster
from tests.proofs.sequences import play_all
from tests.proofs.stores import Relay, empty, make_bucket

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "manifests/components/training-runtime/trainingruntime-workers.yaml"
NAMESPACE = "prove-training"
WORKERS = {"image": image("trainer"), "cpu": "500m", "memory": "1500Mi"}
WITHIN_S = 240
LONG = 60  # epochs that leave time to do harm
CLOSE = 1e-3  # of a loss; sums of two workers are taken in another order on other machines


def main() -> int:
    """Prove all, say what was seen, and leave nothing behind."""
    need_cluster("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    api = client.ApiClient()
    with TemporaryDirectory() as name, _namespace(api), Relay() as relay:
        folder, cluster = Path(name), Cluster(api, NAMESPACE)
        _prepare(api, folder, relay)
        real = running_controllers(api)
        played = [kind for kind in (tfjob, trainjob) if kind.KIND.plural not in real]
        good = play_all(api, cluster, image("trainer"), played)
        good &= _until(lambda: not _left(cluster), WITHIN_S)
        local = _local(folder)
        for kind in (tfjob, trainjob):
            with controller_of(kind, api, NAMESPACE, real), _objects(folder):
                proof = Proof(cluster, kind, folder)
                good &= proof.learns_what(local)
                good &= proof.bears_the_loss_of_a_worker("deleted by force", 0, seed=2)
                good &= proof.bears_the_loss_of_a_worker("drained", None, seed=3)
                good &= proof.stops_when_told()
    print("all as it should be" if good else "NOT as it should be")
    return 0 if good else 1


def _listed(kind) -> list[dict]:
    group, version, plural = kind.KIND
    custom = client.CustomObjectsApi()
    return custom.list_namespaced_custom_object(group, version, NAMESPACE, plural)["items"]


def _left(cluster: Cluster) -> list:
    """What the sequences have not taken away yet."""
    pods = cluster.pods("app.kubernetes.io/part-of=car-detection")
    return [*_listed(tfjob), *_listed(trainjob), *pods]


class Proof:
    """Runs the component itself, as a process of its own, against the cluster."""

    def __init__(self, cluster: Cluster, kind, folder: Path) -> None:
        self.cluster, self.kind, self.folder = cluster, kind, folder
        self.name = kind.__name__.split(".")[-1]

    def learns_what(self, local: Path) -> bool:
        """Kill the launcher while workers run, start it again, and compare what was learned."""
        trained = self.folder / self.name
        first = self._start(trained)
        uid = self._running(first)
        first.send_signal(signal.SIGKILL)
        first.wait()
        second = self._start(trained)
        said, losses = self._heard(second)
        jobs = self._jobs()
        adopted = "adopts it" in said and [one["metadata"]["uid"] for one in jobs] == [uid]
        print(f"{self.name}: launcher killed, started again: {len(jobs)} job, adopted: {adopted}")
        self._remove()
        if second.returncode:
            print(said)
            return False
        same = losses[0] == losses[1] and bool(losses[0])
        print(f"{self.name}: losses of worker 0 {losses[0]}, of worker 1 {losses[1]}")
        away = max(
            abs(ours.loss - theirs.loss)
            for ours, theirs in zip(_history(trained), _history(local), strict=True)
        )
        weights = _apart(trained, local)
        print(f"{self.name}: from local at most {away:.2e} a loss, {weights:.2e} a weight")
        return adopted and same and away < CLOSE

    def bears_the_loss_of_a_worker(self, how: str, grace_s: int | None, seed: int) -> bool:
        """Delete a worker's pod in the middle of a training, and see both go on.

        Args:
            how: The deletion in a word or two.
            grace_s: Seconds that it leaves to the worker; None is the pod's own, as in a drain.
            seed: Of the training, which must not have been trained before.
        """
        trained = self.folder / f"{self.name}-lost-{seed}"
        often = {"recipe": "checkpoint_s: 0"}
        launcher = self._start(trained, seed=seed, epochs=LONG, **often)
        self._running(launcher)
        (pod,) = (one for one in self._pods() if self.kind.index_of(one) == 1)
        if not _until(lambda: "epoch 2" in self._words(pod), WITHIN_S):
            raise SystemExit(launcher.communicate()[0])
        grace = {} if grace_s is None else {"grace_period_seconds": grace_s}
        client.CoreV1Api().delete_namespaced_pod(pod.metadata.name, NAMESPACE, **grace)
        said, losses = self._heard(launcher)
        again = "worker 0" in said and "is started again" in said and "going on after step" in said
        both = losses[0].keys() & losses[1].keys()  # what a deleted pod said last may be lost
        same = str(LONG) in both and all(losses[0][epoch] == losses[1][epoch] for epoch in both)
        clean = "Traceback" not in said
        print(f"{self.name}: a pod {how}: gone on: {again}, losses equal: {same}, clean: {clean}")
        self._remove()
        good = (
            again and same and clean and launcher.returncode == 0 and len(_history(trained)) == LONG
        )
        print("" if good else said, end="")
        return good

    def stops_when_told(self) -> bool:
        """Let SIGTERM end a launcher, and see its job and its pods go."""
        launcher = self._start(self.folder / f"{self.name}-stopped", seed=1, epochs=LONG)
        self._running(launcher)
        launcher.send_signal(signal.SIGTERM)
        code = launcher.wait(60)
        gone = _until(lambda: not self._jobs() and not self._pods(), 60)
        print(f"{self.name}: SIGTERM ends the launcher with {code}; job and pods gone: {gone}")
        return gone and code == 128 + signal.SIGTERM

    def _start(self, trained: Path, **options) -> subprocess.Popen:
        return _train(trained, self.folder, {}, launcher=self.name, **options)

    def _running(self, launcher: subprocess.Popen) -> str:
        """Wait until both workers run, and return the job's uid."""
        if not _until(lambda: launcher.poll() is not None or self._both_run(), WITHIN_S):
            raise SystemExit("workers did not start in time")
        if launcher.poll() is not None:
            raise SystemExit(launcher.stdout.read())
        (job,) = self._jobs()
        return job["metadata"]["uid"]

    def _heard(self, launcher: subprocess.Popen) -> tuple[str, dict[int, dict[str, str]]]:
        """Follow a launcher to its end; return what it said, and workers' losses by epoch."""
        losses: dict[int, dict[str, str]] = {0: {}, 1: {}}
        while launcher.poll() is None:
            for pod in self._pods():
                index, words = self.kind.index_of(pod), self._words(pod)
                losses[index] |= dict(re.findall(r"epoch (\d+): loss (\S+)", words))
            time.sleep(0.5)
        return launcher.stdout.read(), losses

    def _words(self, pod) -> str:
        try:
            return self.cluster.last_words(pod.metadata.name, self.kind.CONTAINER, 200)
        except ValueError:  # not started yet
            return ""

    def _both_run(self) -> bool:
        return [pod.status.phase for pod in self._pods()] == ["Running", "Running"]

    def _jobs(self) -> list[dict]:
        return _listed(self.kind)

    def _pods(self) -> list:
        return [pod for job in self._jobs() for pod in self._pods_of(job["metadata"]["name"])]

    def _pods_of(self, name: str) -> list:
        return self.cluster.pods(self.kind.selector(name))

    def _remove(self) -> None:
        for job in self._jobs():
            self.cluster.delete(self.kind.KIND, job["metadata"]["name"], last=True)
        _until(lambda: not self._jobs(), 60)


def _local(folder: Path) -> Path:
    """Train with two processes here, from a store of its own, so that nothing is found done."""
    url = (folder / "objects").as_uri()
    write_snapshot(folder / "again", Objects(url))
    process = _train(folder / "local", folder, {"OBJECT_STORE_URL": url}, launcher="local")
    said, _ = process.communicate(timeout=WITHIN_S)
    if process.returncode:
        raise SystemExit(said)
    return folder / "local"


def _train(trained: Path, folder: Path, more: dict[str, str], **options) -> subprocess.Popen:
    paths = {
        "snapshot": folder / "snapshot", "champion": folder / "champion", "trained": trained,
        "curves": trained.with_suffix(".html"), "metrics": trained.with_suffix(".metrics"),
        "image-size": 64, "epochs": 3, "batch-size": 4, "workers": 2, "seed": 0, **options,
    }  # fmt: skip
    given = [part for name, value in paths.items() for part in (f"--{name}", str(value))]
    return subprocess.Popen(
        [sys.executable, "-m", "components", "train_detector", *given],
        cwd=ROOT, env={**os.environ, **more}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _prepare(api: client.ApiClient, folder: Path, relay: Relay) -> None:
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
        "TRAINING_WORKERS": yaml.safe_dump(WORKERS), "KUBECONFIG": _in_namespace(folder),
    }  # fmt: skip
    mark_absent(folder / "champion", "this is the first")


@contextmanager
def _objects(folder: Path) -> Iterator[None]:
    """Have the snapshot in the object store and no training, and nothing in it afterwards."""
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    empty(objects)
    write_snapshot(folder / "snapshot", objects)
    yield
    empty(objects)


def _in_namespace(folder: Path) -> str:
    """Write a copy of KUBECONFIG whose contexts act in our namespace."""
    settings = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    for one in settings["contexts"]:
        one["context"]["namespace"] = NAMESPACE
    (folder / "kubeconfig").write_text(yaml.safe_dump(settings))
    return str(folder / "kubeconfig")


@contextmanager
def _namespace(api: client.ApiClient) -> Iterator[None]:
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": NAMESPACE}})
    try:
        yield
    finally:
        core.delete_namespace(NAMESPACE)
        _until(lambda: NAMESPACE not in [n.metadata.name for n in core.list_namespace().items], 60)


def _history(trained: Path) -> list[Epoch]:
    return read_lines(Epoch, TrainedLayout(trained).history)


def _apart(first: Path, second: Path) -> float:
    ours, theirs = (np.load(TrainedLayout(one).weights) for one in (first, second))
    return max(float(np.abs(ours[key] - theirs[key]).max()) for key in ours.files)


def _until(condition, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.5)
    return bool(condition())


if __name__ == "__main__":
    sys.exit(main())
