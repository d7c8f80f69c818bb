"""The namespaces of the proof, and objects as they are moved there."""

import copy
import json
import subprocess

SPACE = "car-manifests-proof"
KSERVE = f"{SPACE}-kserve"  # stands for the namespace of KServe itself, which is not ours
CLUSTER_WIDE = (
    "ClusterRole", "ClusterRoleBinding", "ClusterStorageContainer", "Namespace", "PriorityClass",
)  # fmt: skip


def apply(found: dict, dry: bool = False) -> subprocess.CompletedProcess:
    options = ("--dry-run=server",) if dry else ()
    return kubectl("apply", "-f", "-", *options, given=json.dumps(found))


def kubectl(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(["kubectl", *arguments], input=given, capture_output=True, text=True)


def moved(found: dict) -> dict:
    """Return an object as it is in the proof's namespace, or under a name of its own."""
    copied = copy.deepcopy(found)
    if copied["kind"] in CLUSTER_WIDE:  # there may be one of that name that is not ours
        copied["metadata"]["name"] = f"{SPACE}-{copied['metadata']['name']}"
    else:
        copied["metadata"]["namespace"] = SPACE
    if copied.get("roleRef", {}).get("kind") in CLUSTER_WIDE:
        copied["roleRef"]["name"] = f"{SPACE}-{copied['roleRef']['name']}"
    return copied


def resting(found: dict) -> dict:
    """Let nothing start a pod, or take part in one: what is asked is whether it is accepted."""
    if found["kind"] in ("Deployment", "StatefulSet"):
        found["spec"]["replicas"] = 0
    elif found["kind"] == "Job":
        found["spec"]["parallelism"] = 0
    elif found["kind"] == "ClusterStorageContainer":  # KServe would choose it for our bucket
        found["spec"]["supportedUriFormats"] = [{"prefix": f"s3://{SPACE}/"}]
    return found


def bound(found: dict) -> dict:
    """Let a binding give its rights to the accounts of the proof's own namespace."""
    for subject in found.get("subjects", ()):
        if subject["kind"] == "ServiceAccount":
            subject["namespace"] = SPACE
    return found


def at_kserve(found: dict) -> dict:
    """Return an object of KServe's as the proof applies it: what is in a namespace, in its own."""
    there = bound(resting(moved(found)))
    if "namespace" in there["metadata"]:
        there["metadata"]["namespace"] = KSERVE
    return there


def clean(rendered: dict[str, list]) -> None:
    """Delete all that the proof made."""
    kubectl("delete", "namespace", SPACE, KSERVE, "--ignore-not-found", "--wait=true")
    for found in [*rendered["production"], *rendered["kserve-storage"]]:
        if found["kind"] in CLUSTER_WIDE and found["kind"] != "Namespace":
            name = moved(found)["metadata"]["name"]
            kubectl("delete", found["kind"].lower(), name, "--ignore-not-found")
