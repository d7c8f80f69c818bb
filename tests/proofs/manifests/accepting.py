"""Every object is accepted by a real API server, and broken ones are refused."""

import json
from collections import Counter
from pathlib import Path

from tests.proofs.manifests.place import SPACE, apply, kubectl, moved, resting
from tests.proofs.manifests.validating import validate


def accepted(rendered: dict[str, list]) -> bool:
    """Create every object in a namespace of ours, workloads with no pods, one overlay at a time."""
    unknown: Counter = Counter()
    kinds: Counter = Counter()
    good = True
    for name in ("production", "local", "everything", "kserve-reader", "kserve-storage"):
        kubectl("delete", "--ignore-not-found", "--wait=true", "namespace", SPACE)
        kubectl("create", "namespace", SPACE)
        for found in rendered[name]:
            if found["kind"] == "Namespace":
                continue
            said = apply(resting(moved(found)))
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


def refused(folder: Path, objects: list) -> bool:
    """Break each kind three ways; validator and `kubectl apply` must both see it."""
    by_kind = {found["kind"]: found for found in objects}
    good = True
    for kind, path, value in MUTATIONS:
        broken = moved(by_kind[kind])
        _set(broken, path, value)
        offline = bool(validate(folder, [broken]))
        said = apply(broken, dry=True)
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
MUTATIONS: tuple[tuple[str, tuple[str | int, ...], object], ...] = (
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
