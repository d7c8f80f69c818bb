"""A stand-in for the controllers of TFJob and TrainJob, which turns their objects into real pods.

Written from their published schemas and behaviour: the training operator 1.9 for TFJob,
and for TrainJob the trainer 2.3 with JobSet and indexed Jobs under it, whose objects it
leaves out: the pods belong to the TrainJob itself. It looks again and again instead of
watching, and knows no more than what launchers can see: pods, their names and labels,
headless services, TF_CONFIG or JOB_COMPLETION_INDEX, restarts by exit code, suspension,
deadlines, time to live and the conditions.
"""

import json
import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from kubernetes import client

PORT = 2222
RETRIED_FROM = 128
UNKNOWN_EXIT = 0xBEEF  # what the operator takes for the exit of a pod that no container ended
TFJOBS = ("kubeflow.org", "v1", "tfjobs")
TRAINJOBS = ("trainer.kubeflow.org", "v1alpha1", "trainjobs")
RUNTIMES = ("trainer.kubeflow.org", "v1alpha1", "trainingruntimes")
JOBSET = "jobset.sigs.k8s.io"
ATTEMPT = f"{JOBSET}/restart-attempt"
INDEX = "batch.kubernetes.io/job-completion-index"

# The shell command of a worker's n-th life, counted from 0, in place of its own; None leaves it.
Script = Callable[[int, int], str | None]


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
        kinds: Collection[str] = (TFJOBS[2], TRAINJOBS[2]),
    ):
        self.core, self.custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
        self.namespace, self.script = namespace, script or (lambda index, life: None)
        self.every_s, self.kinds = every_s, kinds
        self.lives: dict[tuple[str, int], int] = {}
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
        for kind, look_after in ((TFJOBS, self._tfjob), (TRAINJOBS, self._trainjob)):
            for job in self._list(kind) if kind[2] in self.kinds else ():
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
        pods = self._pods(job)
        if _is(status, "Succeeded") or _is(status, "Complete") or _is(status, "Failed"):
            self._clean(kind, job, status, pods)
        else:
            status = look_after(job, status, pods)
        if status != (job.get("status") or {}):
            job["status"] = status
            group, version, plural = kind
            self.custom.replace_namespaced_custom_object_status(
                group, version, self.namespace, plural, job["metadata"]["name"], job
            )

    # TFJob

    def _tfjob(self, job, status, pods):
        name, policy = job["metadata"]["name"], job["spec"].get("runPolicy", {})
        worker = job["spec"]["tfReplicaSpecs"]["Worker"]
        if not status.get("conditions"):
            _set(status, "Created", "TFJobCreated", f"TFJob {name} is created.")
        if policy.get("suspend"):
            self._remove(pods.values())
            _set(status, "Running", "TFJobSuspended", f"TFJob {name} is suspended.", "False")
            _set(status, "Suspended", "TFJobSuspended", f"TFJob {name} is suspended.")
            status.pop("startTime", None)
            return status
        if _is(status, "Suspended"):
            _set(status, "Suspended", "TFJobResumed", f"TFJob {name} is resumed.", "False")
        status.setdefault("startTime", _now())
        if _age(status["startTime"]) > policy.get("activeDeadlineSeconds", float("inf")):
            self._remove(pods.values())
            _set(
                status, "Failed", "TFJobFailed",
                f"Job {name} has failed because it was active longer than specified deadline",
            )  # fmt: skip
            return status
        for index in range(worker["replicas"]):
            self._tf_service(job, index)
            if index not in pods:
                self._make(job, self._tf_pod(job, worker, index), index)
            elif pods[index].status.phase == "Failed" and _exit(pods[index]) >= RETRIED_FROM:
                self._remove([pods[index]])
                self._restarting(name, status)
        self._tf_outcome(name, status, pods)
        return status

    def _tf_outcome(self, name, status, pods) -> None:
        """Count workers as the operator 1.9.0 does: one that is being deleted has failed."""
        restarting, full = _is(status, "Restarting"), f"{self.namespace}/{name}"
        active = failed = 0
        for pod in pods.values():
            runs, leaves = pod.status.phase == "Running", bool(pod.metadata.deletion_timestamp)
            active += runs and not leaves
            failed += pod.status.phase == "Failed" or (runs and leaves)
        if 0 in pods and pods[0].status.phase == "Succeeded":
            _set(status, "Succeeded", "TFJobSucceeded", f"TFJob {full} successfully completed.")
            return
        if active:
            _set(status, "Running", "TFJobRunning", f"TFJob {full} is running.")
        if failed and restarting:
            self._restarting(name, status)
        elif failed:
            why = f"{failed} Worker replica(s) failed."
            _set(status, "Failed", "TFJobFailed", f"TFJob {full} has failed because {why}")

    def _restarting(self, name, status) -> None:
        _set(
            status, "Restarting", "TFJobRestarting",
            f"TFJob {name} is restarting because Worker replica(s) failed.",
        )  # fmt: skip

    def _tf_pod(self, job, worker, index):
        name, replicas = job["metadata"]["name"], worker["replicas"]
        pod = json.loads(json.dumps(worker["template"]))
        pod["metadata"] = {
            "name": f"{name}-worker-{index}",
            "labels": {**pod.get("metadata", {}).get("labels", {}), **_tf_labels(name, index)},
        }
        container = next(c for c in pod["spec"]["containers"] if c["name"] == "tensorflow")
        if replicas > 1:
            hosts = [f"{name}-worker-{n}.{self.namespace}.svc:{PORT}" for n in range(replicas)]
            config = {
                "cluster": {"worker": hosts},
                "task": {"type": "worker", "index": index},
                "environment": "cloud",
            }
            container.setdefault("env", []).append(
                {"name": "TF_CONFIG", "value": json.dumps(config)}
            )
        return pod, container

    def _tf_service(self, job, index):
        name = job["metadata"]["name"]
        self._service(job, f"{name}-worker-{index}", _tf_labels(name, index))

    # TrainJob

    def _trainjob(self, job, status, pods):
        name, spec = job["metadata"]["name"], job["spec"]
        runtime = self.custom.get_namespaced_custom_object(
            *RUNTIMES[:2], self.namespace, RUNTIMES[2], spec["runtimeRef"]["name"]
        )["spec"]
        jobset = runtime["template"]["spec"]
        template = jobset["replicatedJobs"][0]["template"]["spec"]
        if spec.get("suspend"):
            self._remove(pods.values())
            _set(status, "Suspended", "Suspended", "TrainJob is suspended")
            return status
        began = job["metadata"]["creationTimestamp"]
        if _is(status, "Suspended"):
            _set(status, "Suspended", "Resumed", "TrainJob is resumed", "False")
        for one in status.get("conditions", ()):
            began = one["lastTransitionTime"] if one["type"] == "Suspended" else began
        if _age(began) > spec.get("activeDeadlineSeconds", float("inf")):
            self._remove(pods.values())
            _set(status, "Failed", "DeadlineExceeded", "TrainJob exceeded its active deadline")
            return status
        self._service(job, name, {f"{JOBSET}/jobset-name": name}, publishNotReadyAddresses=True)
        nodes = spec["trainer"].get("numNodes", runtime["mlPolicy"]["numNodes"])
        # A pod that is being deleted counts once it has failed; one of an earlier attempt does not.
        attempt = self._attempt(job)
        failed = [
            pod
            for pod in pods.values()
            if pod.status.phase == "Failed" and pod.metadata.labels[ATTEMPT] == str(attempt)
        ]
        if failed and (_final(failed, template) or attempt >= _most(jobset)):
            _set(status, "Failed", "FailedJobs", "jobset failed due to one or more job failures")
            self._remove(pod for pod in pods.values() if pod.status.phase == "Running")
            return status
        if failed:
            self.lives[job["metadata"]["uid"], -1] = attempt + 1
            self._remove(pods.values())
            return status
        for index in range(nodes):
            if index not in pods:
                self._make(job, self._node_pod(job, template, index), index)
        phases = [pod.status.phase for pod in pods.values()]
        if phases.count("Succeeded") == nodes:
            _set(status, "Complete", "AllJobsCompleted", "jobset completed successfully")
        count = {"active": int("Running" in phases or "Pending" in phases)}
        count["ready"] = int(phases.count("Running") == nodes)
        count["succeeded"] = int(phases.count("Succeeded") == nodes)
        status["jobsStatus"] = [{"name": "node", "failed": 0, "suspended": 0, **count}]
        return status

    def _attempt(self, job) -> int:
        return self.lives.get((job["metadata"]["uid"], -1), 0)

    def _node_pod(self, job, template, index):
        name, trainer = job["metadata"]["name"], job["spec"]["trainer"]
        for patch in job["spec"].get("runtimePatches", ()):
            for one in patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]:
                template = merged(template, one["template"]["spec"])
        pod = json.loads(json.dumps(template["template"]))
        stem = f"{name}-node-0-{index}"
        life = self.lives.get((job["metadata"]["uid"], index), 0)
        attempt = str(self._attempt(job))
        labels = {f"{JOBSET}/jobset-name": name, f"{JOBSET}/replicatedjob-name": "node"}
        pod["metadata"] = {
            "name": f"{stem}-{life:05x}",
            "labels": {
                **pod.get("metadata", {}).get("labels", {}), **labels,
                ATTEMPT: attempt, INDEX: str(index),
            },
            "annotations": {INDEX: str(index)},
        }  # fmt: skip
        pod["spec"].update(hostname=stem, subdomain=name)
        container = next(c for c in pod["spec"]["containers"] if c["name"] == "node")
        given = {"image", "command", "args"} & set(trainer)
        container.update({key: trainer[key] for key in given})
        container["resources"] = trainer.get("resourcesPerNode", container.get("resources", {}))
        rank = {"name": "JOB_COMPLETION_INDEX", "value": str(index)}
        container["env"] = [*container.get("env", ()), *trainer.get("env", ()), rank]
        return pod, container

    # Both

    def _pods(self, job) -> dict[int, Any]:
        """Return the pods that belong to a job by their index; those that are going count."""
        uid, name = job["metadata"]["uid"], job["metadata"]["name"]
        found = self.core.list_namespaced_pod(self.namespace).items
        return {
            int(pod.metadata.labels.get(INDEX) or pod.metadata.labels[TF_INDEX]): pod
            for pod in found
            if any(one.uid == uid for one in pod.metadata.owner_references or ())
            and name in pod.metadata.name
        }

    def _make(self, job, made, index) -> None:
        pod, container = made
        key = (job["metadata"]["uid"], index)
        if instead := self.script(index, self.lives.get(key, 0)):
            container["command"] = ["sh", "-c", instead]
        pod["spec"]["restartPolicy"] = "Never"
        pod["metadata"]["ownerReferences"] = [_owner(job)]
        self.core.create_namespaced_pod(self.namespace, pod)
        self.lives[key] = self.lives.get(key, 0) + 1

    def _service(self, job, name, selector, **more) -> None:
        body = {
            "metadata": {"name": name, "ownerReferences": [_owner(job)]},
            "spec": {
                "clusterIP": "None", "selector": selector,
                "ports": [{"name": "workers", "port": PORT}], **more,
            },
        }  # fmt: skip
        try:
            self.core.create_namespaced_service(self.namespace, body)
        except client.ApiException as error:
            if error.status != 409:
                raise

    def _remove(self, pods) -> None:
        for pod in list(pods):
            if not pod.metadata.deletion_timestamp:
                self.core.delete_namespaced_pod(
                    pod.metadata.name, self.namespace, grace_period_seconds=1
                )

    def _clean(self, kind, job, status, pods) -> None:
        policy = job["spec"].get("runPolicy", {})
        if policy.get("cleanPodPolicy") == "Running":
            self._remove(p for p in pods.values() if p.status.phase in ("Running", "Pending"))
        if "ttlSecondsAfterFinished" in policy:
            ended = max(one["lastTransitionTime"] for one in status["conditions"])
            if _age(ended) > policy["ttlSecondsAfterFinished"]:
                group, version, plural = kind
                self.custom.delete_namespaced_custom_object(
                    group, version, self.namespace, plural, job["metadata"]["name"]
                )


TF_INDEX = "training.kubeflow.org/replica-index"
MERGED_BY = {"containers": "name", "volumes": "name", "volumeMounts": "mountPath", "env": "name"}


def merged(into: Any, patch: Any, field: str = "") -> Any:
    """Return a template with a patch merged in as Kubernetes merges pods strategically."""
    if isinstance(into, dict) and isinstance(patch, dict):
        return {
            key: merged(into[key], patch[key], key) if key in into and key in patch
            else patch.get(key, into.get(key))
            for key in {**into, **patch}
        }  # fmt: skip
    if field in MERGED_BY and isinstance(into, list):
        by = MERGED_BY[field]
        ours, theirs = ({one[by]: one for one in side} for side in (into, patch))
        return list(merged(ours, theirs).values())
    return patch


def _tf_labels(name: str, index: int) -> dict[str, str]:
    return {
        "training.kubeflow.org/operator-name": "tfjob-controller",
        "training.kubeflow.org/job-name": name,
        "training.kubeflow.org/replica-type": "worker",
        TF_INDEX: str(index),
        **({"training.kubeflow.org/job-role": "master"} if index == 0 else {}),
    }


def _owner(job) -> dict[str, Any]:
    return {
        "apiVersion": job["apiVersion"], "kind": job["kind"], "name": job["metadata"]["name"],
        "uid": job["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip


def _exit(pod) -> int:
    for one in pod.status.container_statuses or ():
        if one.state.terminated:
            return int(one.state.terminated.exit_code)
    return UNKNOWN_EXIT


def _final(failed, template) -> bool:
    rules = template.get("podFailurePolicy", {}).get("rules", ())
    final = [one["onExitCodes"] for one in rules if one["action"] == "FailJob"]
    return any(
        (_exit(pod) in codes["values"]) == (codes["operator"] == "In")
        for pod in failed
        for codes in final
    )


def _most(jobset) -> int:
    return int(jobset.get("failurePolicy", {}).get("maxRestarts", 0))


def _is(status, kind: str) -> bool:
    found = status.get("conditions", ())
    return any(one["type"] == kind and one["status"] == "True" for one in found)


def _set(status, kind: str, reason: str, message: str, value: str = "True") -> None:
    """Set a condition; running and restarting push each other out, and an end ends running."""
    there = status.setdefault("conditions", [])
    same = next((one for one in there if one["type"] == kind), None)
    if (same and (same["status"], same["reason"]) == (value, reason)) or (
        same is None and value == "False"
    ):
        return
    out = {"Running": {"Restarting"}, "Restarting": {"Running"}}.get(kind, set()) | {kind}
    status["conditions"] = [one for one in there if one["type"] not in out]
    for one in status["conditions"]:
        if kind in ("Succeeded", "Failed") and one["type"] == "Running":
            one["status"] = "False"
    now = _now()
    new = {"type": kind, "status": value, "reason": reason, "message": message}
    status["conditions"].append({**new, "lastTransitionTime": now})


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _age(stamp: str) -> float:
    return time.time() - datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
