"""The pods of ingestion and migration as they start on a real node."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable

from tests.proofs.manifests.place import SPACE, apply, kubectl, moved


def started(objects: list) -> bool:
    """Start ingestion and migration as production would, with addresses where nobody answers."""
    image = "localhost:5000/car-detection/data:dev"
    inspect = ["docker", "image", "inspect", image]
    if not shutil.which("docker") or subprocess.run(inspect, capture_output=True).returncode:
        print(f"node: {image} is not there (make images), so no pod was started")
        return True
    chosen = [
        moved(found)
        for found in objects
        if found["metadata"]["name"] in ("ingest-events", "migrate", "car-stream", "car-objects")
        and found["kind"] in ("Deployment", "Job", "ConfigMap")
    ]
    for found in chosen:
        if found["kind"] in ("Deployment", "Job"):
            found["spec"]["template"]["spec"]["containers"][0]["image"] = image
            found["spec"]["template"]["spec"].pop("priorityClassName", None)
            what = (found["kind"], found["metadata"]["name"])
            kubectl("delete", "--ignore-not-found", *what, "-n", SPACE)
        assert apply(found).returncode == 0
    lacking = _until("app.kubernetes.io/name=ingest-events", _waiting_for, 60)
    print(f"node: without secrets ingestion waits: {lacking}")
    nowhere = "postgresql://nobody:none@127.0.0.1:1/cars"
    for name in ("car-database-ingest", "car-database-owner"):
        kubectl("create", "secret", "generic", name, "-n", SPACE, f"--from-literal=url={nowhere}")
    keys = ("--from-literal=access_key=a", "--from-literal=secret_key=b")
    kubectl("create", "secret", "generic", "car-objects", "-n", SPACE, *keys)
    ready = _until("app.kubernetes.io/name=ingest-events", _ready, 180)
    log = _until("app.kubernetes.io/name=ingest-events", _complaint, 120)
    print(f"node: with them it is {ready}, and says: {log}")
    refused = _until("app.kubernetes.io/name=migrate", _ended, 120)
    why = kubectl("logs", "-l", "app.kubernetes.io/name=migrate", "-n", SPACE, "--tail=1").stdout
    print(
        f"node: migration without a database is {refused}, and says: {why.strip().splitlines()[:1]}"
    )
    return "secret" in lacking and ready == "ready" and "trying again" in log and bool(refused)


def _waiting_for(pod: dict) -> str:
    states = (one["state"].get("waiting", {}) for one in pod["status"].get("containerStatuses", ()))
    return next((state["message"] for state in states if "secret" in state.get("message", "")), "")


def _complaint(pod: dict) -> str:
    said = kubectl("logs", pod["metadata"]["name"], "-n", SPACE, "--tail=1").stdout.strip()
    return said if "trying again" in said else ""


def _ready(pod: dict) -> str:
    states = pod["status"].get("containerStatuses", ())
    return "ready" if states and all(one["ready"] for one in states) else ""


def _ended(pod: dict) -> str:
    states = pod["status"].get("containerStatuses", ())
    ends = [
        one["state"]["terminated"]["exitCode"] for one in states if "terminated" in one["state"]
    ]
    return f"refused with exit code {ends[0]}" if ends and ends[0] == 2 else ""


def _until(selector: str, seen: Callable[[dict], str], seconds: int) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        said = kubectl("get", "pods", "-n", SPACE, "-l", selector, "-o", "json")
        for pod in json.loads(said.stdout)["items"]:
            if answer := seen(pod):
                return answer
        time.sleep(1)
    return ""
