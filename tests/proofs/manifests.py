"""The manifests against the published schemas, a real API server and a real node.

`make prove-cluster` runs it with KUBECONFIG set and prints what it saw: each overlay through
the offline validator, each object accepted, mutations refused, the rights of every account,
who may read KServe's configuration and storage containers, tokens, and the pods of ingestion
and migration as they start. It leaves nothing behind.
"""

import copy
import json
import os
import shutil
import subprocess
import sys
import time
import venv
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from tests.manifests.objects import (
    COMPONENTS,
    DEFINITIONS,
    FOREIGN,
    MANIFESTS,
    OVERLAYS,
    combine,
    render,
)
from tests.manifests.schemas import definitions, told
from tests.proofs import kserve_rights
from tests.proofs.needs import need_cluster, need_file, need_program
from tests.proofs.rights import ask

ROOT = Path(__file__).parents[2]
VALIDATOR = ROOT.parent / "shared" / "cluster" / "crdvalidate"
SPACE = "car-manifests-proof"
KSERVE = f"{SPACE}-kserve"  # stands for the namespace of KServe itself, which is not ours
CLUSTER_WIDE = (
    "ClusterRole", "ClusterRoleBinding", "ClusterStorageContainer", "Namespace", "PriorityClass",
)  # fmt: skip
AUDIENCE = "pipelines.kubeflow.org"


def main() -> int:
    """Run every part; 0 only if all of them saw what they should."""
    need_cluster()
    need_program("kubectl", "1.24 or later")
    need_file(VALIDATOR, "the offline validator of manifests")
    with TemporaryDirectory() as name:
        folder = Path(name)
        rendered = _rendered(folder)
        parts = [_validated(folder, rendered)]
        try:
            _kubectl("create", "namespace", SPACE)
            parts.append(_accepted(rendered))
            parts.append(_refused(folder, rendered["everything"]))
            parts.append(_rights())
            parts.append(_kserve_rights(rendered))
            parts.append(_tokens(folder))
            parts.append(_started(rendered["production"]))
        finally:
            _clean(rendered)
    print("all as it should be" if all(parts) else "NOT as it should be")
    return 0 if all(parts) else 1


def _rendered(folder: Path) -> dict[str, list]:
    found = {name: render(MANIFESTS / "overlays" / name) for name in OVERLAYS}
    found["kserve-reader"] = render(MANIFESTS / "kserve-reader")
    found["kserve-storage"] = render(MANIFESTS / "kserve-storage")
    found["everything"] = render(combine(folder, tuple(COMPONENTS)))
    return found


def _validated(folder: Path, rendered: dict[str, list]) -> bool:
    """Ask the offline validator about each overlay, and all components together."""
    wrong = []
    for name, objects in rendered.items():
        lines = _validate(folder, objects)
        strange = [line for line in lines if "no schema for this" in line]
        wrong += [line for line in lines if line not in strange]
        wrong += [line for line in strange if not any(f" {kind}/" in line for kind in FOREIGN)]
        own = [found for found in objects if found["kind"] in FOREIGN]
        wrong += [line for found in own for line in told(definitions(DEFINITIONS), found)]
        print(f"validator: {name}: {len(objects)} objects, {len(lines) - len(strange)} findings")
    print(f"validator: held to our own definitions: {', '.join(sorted(FOREIGN))}")
    print("".join(f"{line}\n" for line in wrong), end="")
    return not wrong


def _validate(folder: Path, objects: list) -> list[str]:
    home = ROOT / "build" / "validator"
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        packages = ("jsonschema", "pyyaml", "kubernetes-validate")
        pip = [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True, stderr=subprocess.DEVNULL)
        (home / "ready").touch()
    file = folder / "objects.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    run = subprocess.run([home / "bin" / "python", VALIDATOR, file], capture_output=True, text=True)
    if run.returncode not in (0, 1) or run.stderr:
        raise RuntimeError(f"the validator failed: {run.stderr[-400:]}")
    return run.stdout.splitlines()


def _accepted(rendered: dict[str, list]) -> bool:
    """Create every object in a namespace of ours, workloads with no pods, one overlay at a time."""
    unknown: Counter = Counter()
    kinds: Counter = Counter()
    good = True
    for name in ("production", "local", "everything", "kserve-reader", "kserve-storage"):
        _kubectl("delete", "--ignore-not-found", "--wait=true", "namespace", SPACE)
        _kubectl("create", "namespace", SPACE)
        for found in rendered[name]:
            if found["kind"] == "Namespace":
                continue
            said = _apply(_resting(_moved(found)))
            if said.returncode == 0:
                kinds[found["kind"]] += 1
            elif "no matches for kind" in said.stderr:
                unknown[f"{found['apiVersion']} {found['kind']}"] += 1
            else:
                good = False
                print(f"API server: {name}: {found['kind']}: {said.stderr.strip()[:300]}")
    print(f"API server: took {sum(kinds.values())} objects of {len(kinds)} kinds: {dict(kinds)}")
    print(f"API server: its version does not know {', '.join(sorted(unknown))}")
    return good and bool(kinds)


def _moved(found: dict) -> dict:
    moved = copy.deepcopy(found)
    if moved["kind"] in CLUSTER_WIDE:  # there may be one of that name that is not ours
        moved["metadata"]["name"] = f"{SPACE}-{moved['metadata']['name']}"
    else:
        moved["metadata"]["namespace"] = SPACE
    if moved.get("roleRef", {}).get("kind") in CLUSTER_WIDE:
        moved["roleRef"]["name"] = f"{SPACE}-{moved['roleRef']['name']}"
    return moved


def _resting(found: dict) -> dict:
    """Let nothing start a pod, or take part in one: what is asked is whether it is accepted."""
    if found["kind"] in ("Deployment", "StatefulSet"):
        found["spec"]["replicas"] = 0
    elif found["kind"] == "Job":
        found["spec"]["parallelism"] = 0
    elif found["kind"] == "ClusterStorageContainer":  # KServe would choose it for our bucket
        found["spec"]["supportedUriFormats"] = [{"prefix": f"s3://{SPACE}/"}]
    return found


def _refused(folder: Path, objects: list) -> bool:
    """Break each kind three ways; validator and `kubectl apply` must both see it."""
    by_kind = {found["kind"]: found for found in objects}
    good = True
    for kind, path, value in MUTATIONS:
        broken = _moved(by_kind[kind])
        _set(broken, path, value)
        offline = bool(_validate(folder, [broken]))
        said = _apply(broken, dry=True)
        good = good and offline and said.returncode != 0
        shown = "removed" if value is None else json.dumps(value)
        print(
            f"mutation: {kind} {'.'.join(map(str, path))} = {shown}: "
            f"validator {'refuses' if offline else 'LETS IT PASS'}, "
            f"API server {'refuses' if said.returncode else 'LETS IT PASS'}"
        )
    return good


# Unknown fields, wrong types, and what must be there.
POD = ("spec", "template", "spec")
MUTATIONS = (
    ("Deployment", (*POD, "containers", 0, "imagePullPolice"), "Always"),
    ("Deployment", ("spec", "replicas"), "two"),
    ("Deployment", ("spec", "selector"), None),
    ("Job", (*POD, "restartPolicies"), "Never"),
    ("Job", ("spec", "backoffLimit"), "many"),
    ("Job", (*POD, "containers"), None),
    ("StatefulSet", ("spec", "replica"), 1),
    ("StatefulSet", ("spec", "replicas"), [1]),
    ("NetworkPolicy", ("spec", "podSelectors"), {}),
    ("NetworkPolicy", ("spec", "policyTypes"), "Ingress"),
    ("Role", ("rules", 0, "verb"), ["get"]),
    ("Role", ("rules", 0, "verbs"), "get"),
    ("RoleBinding", ("roleRef",), None),
    ("ServiceAccount", ("automountToken",), False),
    ("ServiceAccount", ("automountServiceAccountToken",), "no"),
    ("KafkaTopic", ("spec", "partition"), 3),
    ("KafkaTopic", ("spec", "partitions"), "three"),
    ("KafkaNodePool", ("spec", "roles"), None),
    ("KafkaUser", ("spec", "authentication", "type"), "password"),
    ("Kafka", ("spec", "kafka", "listeners"), None),
    ("TrainingRuntime", ("spec", "mlPolicies"), {}),
    ("TrainingRuntime", ("spec", "mlPolicy", "numNodes"), "one"),
)


def _set(found: dict, path: tuple, value: object) -> None:
    *way, last = path
    for step in way:
        found = found[step]
    if value is None:
        del found[last]
    else:
        found[last] = value


def _rights() -> bool:
    """Give the accounts the rights that production gives them, and ask for each."""
    for found in render(MANIFESTS / "overlays/production"):
        if found["kind"] in ("Role", "RoleBinding", "ServiceAccount"):
            assert _apply(_bound(_moved(found))).returncode == 0
    return ask(SPACE)


def _bound(found: dict) -> dict:
    """Let a binding give its rights to the accounts of the proof's own namespace."""
    for subject in found.get("subjects", ()):
        if subject["kind"] == "ServiceAccount":
            subject["namespace"] = SPACE
    return found


def _kserve_rights(rendered: dict[str, list]) -> bool:
    """Apply what is applied by itself for KServe, and ask who may read what it lets them read."""
    _kubectl("create", "namespace", KSERVE)
    for found in [*rendered["kserve-reader"], *rendered["kserve-storage"]]:
        said = _apply(at_kserve(found))
        assert said.returncode == 0 or "no matches for kind" in said.stderr, said.stderr
    return kserve_rights.ask(SPACE, KSERVE)


def at_kserve(found: dict) -> dict:
    """Return an object of KServe's as the proof applies it: what is in a namespace, in its own."""
    moved = _bound(_resting(_moved(found)))
    if "namespace" in moved["metadata"]:
        moved["metadata"]["namespace"] = KSERVE
    return moved


def _tokens(folder: Path) -> bool:
    """Show which tokens of car-trigger Kubeflow Pipelines, which asks for its audience, takes."""
    _apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {
                "name": "car-trigger",
                "namespace": SPACE,
                "annotations": {"kubernetes.io/service-account.name": "car-trigger"},
            },
        }
    )
    mounted = _awaited_token()
    own = _requested(folder, "car-trigger", mounted)
    other = _requested(folder, "car-deployer", mounted)
    seen = (_reviewed(mounted), bool(own) and _reviewed(own), not other)
    print(
        f"token: mounted from the secret, for audience {AUDIENCE}: "
        f"{'taken' if seen[0] else 'refused'}; asked for with it in its own name: "
        f"{'taken' if seen[1] else 'REFUSED'}; in another's name: "
        f"{'denied' if seen[2] else 'GIVEN'}"
    )
    return not seen[0] and seen[1] and seen[2]


def _awaited_token() -> str:
    for _ in range(50):
        template = "go-template={{.data.token | base64decode}}"
        said = _kubectl("get", "secret", "car-trigger", "-n", SPACE, "-o", template)
        if said.returncode == 0 and said.stdout.startswith("ey"):
            return said.stdout
        time.sleep(0.2)
    raise RuntimeError("Kubernetes wrote no token")


def _requested(folder: Path, account: str, token: str) -> str:
    """Ask for a token of an account, with only another token to show."""
    api = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    (cluster,) = (one["cluster"] for one in api["clusters"][:1])
    config = folder / "token.kubeconfig"
    config.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": {"token": token}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [AUDIENCE], "expirationSeconds": 600},
    }
    path = f"/api/v1/namespaces/{SPACE}/serviceaccounts/{account}/token"
    said = _kubectl(
        f"--kubeconfig={config}", "create", "--raw", path, "-f", "-", given=json.dumps(body)
    )
    return json.loads(said.stdout)["status"]["token"] if said.returncode == 0 else ""


def _reviewed(token: str) -> bool:
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token, "audiences": [AUDIENCE]},
    }
    said = _kubectl("create", "-f", "-", "-o", "json", given=json.dumps(body))
    return bool(json.loads(said.stdout)["status"].get("authenticated"))


def _started(objects: list) -> bool:
    """Start ingestion and migration as production would, with addresses where nobody answers."""
    image = "localhost:5000/car-detection/data:dev"
    inspect = ["docker", "image", "inspect", image]
    if not shutil.which("docker") or subprocess.run(inspect, capture_output=True).returncode:
        print(f"node: {image} is not there (make images), so no pod was started")
        return True
    chosen = [
        _moved(found)
        for found in objects
        if found["metadata"]["name"] in ("ingest-events", "migrate", "car-stream", "car-objects")
        and found["kind"] in ("Deployment", "Job", "ConfigMap")
    ]
    for found in chosen:
        if found["kind"] in ("Deployment", "Job"):
            found["spec"]["template"]["spec"]["containers"][0]["image"] = image
            found["spec"]["template"]["spec"].pop("priorityClassName", None)
            what = (found["kind"], found["metadata"]["name"])
            _kubectl("delete", "--ignore-not-found", *what, "-n", SPACE)
        assert _apply(found).returncode == 0
    lacking = _until("app.kubernetes.io/name=ingest-events", _waiting_for, 60)
    print(f"node: without secrets ingestion waits: {lacking}")
    nowhere = "postgresql://nobody:none@127.0.0.1:1/cars"
    for name in ("car-database-ingest", "car-database-owner"):
        _kubectl("create", "secret", "generic", name, "-n", SPACE, f"--from-literal=url={nowhere}")
    keys = ("--from-literal=access_key=a", "--from-literal=secret_key=b")
    _kubectl("create", "secret", "generic", "car-objects", "-n", SPACE, *keys)
    ready = _until("app.kubernetes.io/name=ingest-events", _ready, 180)
    log = _until("app.kubernetes.io/name=ingest-events", _complaint, 120)
    print(f"node: with them it is {ready}, and says: {log}")
    refused = _until("app.kubernetes.io/name=migrate", _ended, 120)
    why = _kubectl("logs", "-l", "app.kubernetes.io/name=migrate", "-n", SPACE, "--tail=1").stdout
    print(
        f"node: migration without a database is {refused}, and says: {why.strip().splitlines()[:1]}"
    )
    return "secret" in lacking and ready == "ready" and "trying again" in log and bool(refused)


def _waiting_for(pod: dict) -> str:
    states = (one["state"].get("waiting", {}) for one in pod["status"].get("containerStatuses", ()))
    return next((state["message"] for state in states if "secret" in state.get("message", "")), "")


def _complaint(pod: dict) -> str:
    said = _kubectl("logs", pod["metadata"]["name"], "-n", SPACE, "--tail=1").stdout.strip()
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


def _until(selector: str, seen: object, seconds: int) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        said = _kubectl("get", "pods", "-n", SPACE, "-l", selector, "-o", "json")
        for pod in json.loads(said.stdout)["items"]:
            if answer := seen(pod):
                return answer
        time.sleep(1)
    return ""


def _apply(found: dict, dry: bool = False) -> subprocess.CompletedProcess:
    options = ("--dry-run=server",) if dry else ()
    return _kubectl("apply", "-f", "-", *options, given=json.dumps(found))


def _kubectl(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(["kubectl", *arguments], input=given, capture_output=True, text=True)


def _clean(rendered: dict[str, list]) -> None:
    _kubectl("delete", "namespace", SPACE, KSERVE, "--ignore-not-found", "--wait=true")
    for found in [*rendered["production"], *rendered["kserve-storage"]]:
        if found["kind"] in CLUSTER_WIDE and found["kind"] != "Namespace":
            name = _moved(found)["metadata"]["name"]
            _kubectl("delete", found["kind"].lower(), name, "--ignore-not-found")


if __name__ == "__main__":
    sys.exit(main())
