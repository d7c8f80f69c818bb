"""TrainJobs, as the trainer 2.3 looks after them with JobSet and indexed Jobs."""

import json
from typing import Any

from tests.standins.training_operator.conditions import age_s, is_true, set_condition
from tests.standins.training_operator.workers import INDEX, Workers, exit_code

KIND = ("trainer.kubeflow.org", "v1alpha1", "trainjobs")
RUNTIMES = ("trainer.kubeflow.org", "v1alpha1", "trainingruntimes")
JOBSET = "jobset.sigs.k8s.io"
ATTEMPT = f"{JOBSET}/restart-attempt"
MERGED_BY = {"containers": "name", "volumes": "name", "volumeMounts": "mountPath", "env": "name"}


class TrainJobs:
    """Looks after the TrainJobs of one namespace.

    Args:
        workers: Makes and removes their pods.
    """

    def __init__(self, workers: Workers):
        self._workers = workers

    def look_after(self, job, status, pods):
        """Return the status of a job after one look, whose pods are made or removed."""
        name, spec = job["metadata"]["name"], job["spec"]
        runtime = self._workers.custom.get_namespaced_custom_object(
            *RUNTIMES[:2], self._workers.namespace, RUNTIMES[2], spec["runtimeRef"]["name"]
        )["spec"]
        jobset = runtime["template"]["spec"]
        template = jobset["replicatedJobs"][0]["template"]["spec"]
        if spec.get("suspend"):
            self._workers.remove(pods.values())
            set_condition(status, "Suspended", "Suspended", "TrainJob is suspended")
            return status
        began = job["metadata"]["creationTimestamp"]
        if is_true(status, "Suspended"):
            set_condition(status, "Suspended", "Resumed", "TrainJob is resumed", "False")
        for one in status.get("conditions", ()):
            began = one["lastTransitionTime"] if one["type"] == "Suspended" else began
        if age_s(began) > spec.get("activeDeadlineSeconds", float("inf")):
            self._workers.remove(pods.values())
            set_condition(
                status, "Failed", "DeadlineExceeded", "TrainJob exceeded its active deadline"
            )
            return status
        self._workers.service(
            job, name, {f"{JOBSET}/jobset-name": name}, publishNotReadyAddresses=True
        )
        nodes = spec["trainer"].get("numNodes", runtime["mlPolicy"]["numNodes"])
        # A pod that is being deleted counts once it has failed; one of an earlier attempt does not.
        attempt = self._attempt(job)
        failed = [
            pod
            for pod in pods.values()
            if pod.status.phase == "Failed" and pod.metadata.labels[ATTEMPT] == str(attempt)
        ]
        if failed and (_final(failed, template) or attempt >= _most(jobset)):
            set_condition(
                status, "Failed", "FailedJobs", "jobset failed due to one or more job failures"
            )
            self._workers.remove(pod for pod in pods.values() if pod.status.phase == "Running")
            return status
        if failed:
            self._workers.lives[job["metadata"]["uid"], -1] = attempt + 1
            self._workers.remove(pods.values())
            return status
        for index in range(nodes):
            if index not in pods:
                self._workers.make(job, self._pod(job, template, index), index)
        phases = [pod.status.phase for pod in pods.values()]
        if phases.count("Succeeded") == nodes:
            set_condition(status, "Complete", "AllJobsCompleted", "jobset completed successfully")
        count = {"active": int("Running" in phases or "Pending" in phases)}
        count["ready"] = int(phases.count("Running") == nodes)
        count["succeeded"] = int(phases.count("Succeeded") == nodes)
        status["jobsStatus"] = [{"name": "node", "failed": 0, "suspended": 0, **count}]
        return status

    def _attempt(self, job) -> int:
        return self._workers.lives.get((job["metadata"]["uid"], -1), 0)

    def _pod(self, job, template, index):
        name, trainer = job["metadata"]["name"], job["spec"]["trainer"]
        for patch in job["spec"].get("runtimePatches", ()):
            for one in patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]:
                template = merged(template, one["template"]["spec"])
        pod = json.loads(json.dumps(template["template"]))
        stem = f"{name}-node-0-{index}"
        life = self._workers.lives.get((job["metadata"]["uid"], index), 0)
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


def _final(failed, template) -> bool:
    rules = template.get("podFailurePolicy", {}).get("rules", ())
    final = [one["onExitCodes"] for one in rules if one["action"] == "FailJob"]
    return any(
        (exit_code(pod) in codes["values"]) == (codes["operator"] == "In")
        for pod in failed
        for codes in final
    )


def _most(jobset) -> int:
    return int(jobset.get("failurePolicy", {}).get("maxRestarts", 0))
