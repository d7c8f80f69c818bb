"""What befalls launchers and workers of one kind of job, and what must come of it."""

import re
import signal
import subprocess
import time
from pathlib import Path

from kubernetes import client

from components.shared.cluster.client import Cluster
from tests.proofs.training.local import WITHIN_S, apart, history, train
from tests.proofs.training.place import NAMESPACE, listed, until

LONG = 60  # epochs that leave time to do harm
CLOSE = 1e-3  # of a loss; sums of two workers are taken in another order on other machines


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
            for ours, theirs in zip(history(trained), history(local), strict=True)
        )
        weights = apart(trained, local)
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
        if not until(lambda: "epoch 2" in self._words(pod), WITHIN_S):
            raise SystemExit(launcher.communicate()[0])
        grace = {} if grace_s is None else {"grace_period_seconds": grace_s}
        client.CoreV1Api().delete_namespaced_pod(pod.metadata.name, NAMESPACE, **grace)
        said, losses = self._heard(launcher)
        again = "worker 0" in said and "is restarted" in said and "resumed from" in said
        both = losses[0].keys() & losses[1].keys()  # what a deleted pod said last may be lost
        same = str(LONG) in both and all(losses[0][epoch] == losses[1][epoch] for epoch in both)
        clean = "Traceback" not in said
        print(f"{self.name}: a pod {how}: gone on: {again}, losses equal: {same}, clean: {clean}")
        self._remove()
        good = (
            again and same and clean and launcher.returncode == 0 and len(history(trained)) == LONG
        )
        print("" if good else said, end="")
        return good

    def stops_when_told(self) -> bool:
        """Let SIGTERM end a launcher, and see its job and its pods go."""
        launcher = self._start(self.folder / f"{self.name}-stopped", seed=1, epochs=LONG)
        self._running(launcher)
        launcher.send_signal(signal.SIGTERM)
        code = launcher.wait(60)
        gone = until(lambda: not self._jobs() and not self._pods(), 60)
        print(f"{self.name}: SIGTERM ends the launcher with {code}; job and pods gone: {gone}")
        return gone and code == 128 + signal.SIGTERM

    def _start(self, trained: Path, **options) -> subprocess.Popen:
        return train(trained, self.folder, {}, launcher=self.name, **options)

    def _running(self, launcher: subprocess.Popen) -> str:
        """Wait until both workers run, and return the job's uid."""
        if not until(lambda: launcher.poll() is not None or self._both_run(), WITHIN_S):
            raise SystemExit("workers did not start in time")
        if launcher.poll() is not None:
            raise SystemExit(launcher.communicate()[0])
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
        return launcher.communicate()[0], losses

    def _words(self, pod) -> str:
        try:
            return self.cluster.tail_log(pod.metadata.name, self.kind.CONTAINER, 200)
        except ValueError:  # not started yet
            return ""

    def _both_run(self) -> bool:
        return [pod.status.phase for pod in self._pods()] == ["Running", "Running"]

    def _jobs(self) -> list[dict]:
        return listed(self.kind)

    def _pods(self) -> list:
        return [pod for job in self._jobs() for pod in self._pods_of(job["metadata"]["name"])]

    def _pods_of(self, name: str) -> list:
        return self.cluster.pods(self.kind.selector(name))

    def _remove(self) -> None:
        for job in self._jobs():
            self.cluster.delete(self.kind.KIND, job["metadata"]["name"], last=True)
        until(lambda: not self._jobs(), 60)
