"""TFJobs, as the training operator 1.9 looks after them."""

import json

from tests.standins.training_operator.conditions import age_s, is_true, now_stamp, set_condition
from tests.standins.training_operator.workers import PORT, TF_INDEX, Workers, exit_code

KIND = ("kubeflow.org", "v1", "tfjobs")
RETRIED_FROM = 128


class TFJobs:
    """Looks after the TFJobs of one namespace.

    Args:
        workers: Makes and removes their pods.
    """

    def __init__(self, workers: Workers):
        self._workers = workers

    def look_after(self, job, status, pods):
        """Return the status of a job after one look, whose pods are made or removed."""
        name, policy = job["metadata"]["name"], job["spec"].get("runPolicy", {})
        worker = job["spec"]["tfReplicaSpecs"]["Worker"]
        if not status.get("conditions"):
            set_condition(status, "Created", "TFJobCreated", f"TFJob {name} is created.")
        if policy.get("suspend"):
            self._workers.remove(pods.values())
            set_condition(
                status, "Running", "TFJobSuspended", f"TFJob {name} is suspended.", "False"
            )
            set_condition(status, "Suspended", "TFJobSuspended", f"TFJob {name} is suspended.")
            status.pop("startTime", None)
            return status
        if is_true(status, "Suspended"):
            set_condition(status, "Suspended", "TFJobResumed", f"TFJob {name} is resumed.", "False")
        status.setdefault("startTime", now_stamp())
        if age_s(status["startTime"]) > policy.get("activeDeadlineSeconds", float("inf")):
            self._workers.remove(pods.values())
            set_condition(
                status, "Failed", "TFJobFailed",
                f"Job {name} has failed because it was active longer than specified deadline",
            )  # fmt: skip
            return status
        for index in range(worker["replicas"]):
            self._service(job, index)
            if index not in pods:
                self._workers.make(job, self._pod(job, worker, index), index)
            elif pods[index].status.phase == "Failed" and exit_code(pods[index]) >= RETRIED_FROM:
                self._workers.remove([pods[index]])
                self._restarting(name, status)
        self._outcome(name, status, pods)
        return status

    def _outcome(self, name, status, pods) -> None:
        """Count workers as the operator 1.9.0 does: one that is being deleted has failed."""
        restarting, full = is_true(status, "Restarting"), f"{self._workers.namespace}/{name}"
        active = failed = 0
        for pod in pods.values():
            runs, leaves = pod.status.phase == "Running", bool(pod.metadata.deletion_timestamp)
            active += runs and not leaves
            failed += pod.status.phase == "Failed" or (runs and leaves)
        if 0 in pods and pods[0].status.phase == "Succeeded":
            set_condition(
                status, "Succeeded", "TFJobSucceeded", f"TFJob {full} successfully completed."
            )
            return
        if active:
            set_condition(status, "Running", "TFJobRunning", f"TFJob {full} is running.")
        if failed and restarting:
            self._restarting(name, status)
        elif failed:
            why = f"{failed} Worker replica(s) failed."
            set_condition(status, "Failed", "TFJobFailed", f"TFJob {full} has failed because {why}")

    def _restarting(self, name, status) -> None:
        set_condition(
            status, "Restarting", "TFJobRestarting",
            f"TFJob {name} is restarting because Worker replica(s) failed.",
        )  # fmt: skip

    def _pod(self, job, worker, index):
        name, replicas = job["metadata"]["name"], worker["replicas"]
        pod = json.loads(json.dumps(worker["template"]))
        pod["metadata"] = {
            "name": f"{name}-worker-{index}",
            "labels": {**pod.get("metadata", {}).get("labels", {}), **_labels(name, index)},
        }
        container = next(c for c in pod["spec"]["containers"] if c["name"] == "tensorflow")
        if replicas > 1:
            hosts = [
                f"{name}-worker-{n}.{self._workers.namespace}.svc:{PORT}" for n in range(replicas)
            ]
            config = {
                "cluster": {"worker": hosts},
                "task": {"type": "worker", "index": index},
                "environment": "cloud",
            }
            container.setdefault("env", []).append(
                {"name": "TF_CONFIG", "value": json.dumps(config)}
            )
        return pod, container

    def _service(self, job, index):
        name = job["metadata"]["name"]
        self._workers.service(job, f"{name}-worker-{index}", _labels(name, index))


def _labels(name: str, index: int) -> dict[str, str]:
    return {
        "training.kubeflow.org/operator-name": "tfjob-controller",
        "training.kubeflow.org/job-name": name,
        "training.kubeflow.org/replica-type": "worker",
        TF_INDEX: str(index),
        **({"training.kubeflow.org/job-role": "master"} if index == 0 else {}),
    }
