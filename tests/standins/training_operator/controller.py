"""The operator as a thread: one pass after the other over the jobs of a namespace."""

import json
import threading
from collections.abc import Collection
from typing import Any

from kubernetes import client

from tests.standins.training_operator import tfjobs, trainjobs
from tests.standins.training_operator.conditions import age_s, is_true
from tests.standins.training_operator.workers import Script, Workers


class TrainingOperator:
    """Runs in a thread while it is entered.

    Args:
        api: A configured client with all rights in the namespace.
        namespace: Where it looks after jobs.
        script: What workers do instead of training.
        every_s: Pause between two looks.
        kinds: The plurals of the jobs that it looks after.
    """

    def __init__(
        self,
        api: client.ApiClient,
        namespace: str,
        script: Script | None = None,
        every_s: float = 0.3,
        kinds: Collection[str] = (tfjobs.KIND[2], trainjobs.KIND[2]),
    ):
        self._workers = Workers(api, namespace, script)
        self.core, self.custom = self._workers.core, self._workers.custom
        self.namespace, self.every_s = namespace, every_s
        self._jobs = [
            (kind, look_after)
            for kind, look_after in (
                (tfjobs.KIND, tfjobs.TFJobs(self._workers).look_after),
                (trainjobs.KIND, trainjobs.TrainJobs(self._workers).look_after),
            )
            if kind[2] in kinds
        ]
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> "TrainingOperator":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.ended.wait(self.every_s):
            self.look()

    def look(self) -> None:
        """Reconcile every job once."""
        for kind, look_after in self._jobs:
            for job in self._list(kind):
                if not job["metadata"].get("deletionTimestamp"):
                    try:
                        self._reconcile(kind, job, look_after)
                    except client.ApiException as error:
                        if error.status not in (404, 409):  # gone or changed: look again
                            print(f"stand-in operator: {error.status} {error.body}", flush=True)

    def _list(self, kind: tuple[str, str, str]) -> list[dict[str, Any]]:
        group, version, plural = kind
        found = self.custom.list_namespaced_custom_object(group, version, self.namespace, plural)
        return found["items"]

    def _reconcile(self, kind, job, look_after) -> None:
        status = json.loads(json.dumps(job.get("status") or {}))
        pods = self._workers.of(job)
        if is_true(status, "Succeeded") or is_true(status, "Complete") or is_true(status, "Failed"):
            self._clean(kind, job, status, pods)
        else:
            status = look_after(job, status, pods)
        if status != (job.get("status") or {}):
            job["status"] = status
            group, version, plural = kind
            self.custom.replace_namespaced_custom_object_status(
                group, version, self.namespace, plural, job["metadata"]["name"], job
            )

    def _clean(self, kind, job, status, pods) -> None:
        policy = job["spec"].get("runPolicy", {})
        if policy.get("cleanPodPolicy") == "Running":
            self._workers.remove(
                p for p in pods.values() if p.status.phase in ("Running", "Pending")
            )
        if "ttlSecondsAfterFinished" in policy:
            ended = max(one["lastTransitionTime"] for one in status["conditions"])
            if age_s(ended) > policy["ttlSecondsAfterFinished"]:
                group, version, plural = kind
                self.custom.delete_namespaced_custom_object(
                    group, version, self.namespace, plural, job["metadata"]["name"]
                )
