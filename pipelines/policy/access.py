"""Access table: the secrets, volume claims and service account that each task may have."""

import json
from collections.abc import Iterator, Mapping

from components.shared.contracts.account import EXPECTED, pipeline_account
from pipelines.policy.compiled import Body, Task

DATABASE, OBJECTS, TRACKING = "car-database", "car-objects", "car-tracking"
STREAM, STREAM_CA = "car-import", "car-stream-cluster-ca-cert"
# Every other one is mounted at /var/run/secrets/<name>.
IN_ENVIRONMENT = {DATABASE, OBJECTS, TRACKING, STREAM}
READS: Mapping[str, set[str]] = {
    "check_model": {OBJECTS},
    "decide_retraining": {DATABASE},
    "deploy_model": {DATABASE, OBJECTS, "car-deployer"},
    "detect_drift": {OBJECTS},
    "evaluate_detector": {OBJECTS, TRACKING},
    "export_onnx": {OBJECTS},
    "extract_window": {DATABASE, OBJECTS},
    "fetch_model": {DATABASE, OBJECTS},
    "import_dataset": {OBJECTS, STREAM, STREAM_CA},
    "record_outcome": {DATABASE, "car-trigger"},
    "register_model": {DATABASE, OBJECTS, TRACKING, "car-signing"},
    "score_dataset": {OBJECTS},
    "snapshot_dataset": {DATABASE, OBJECTS},
    "submit_training": {DATABASE, "car-trigger"},
    "train_detector": {OBJECTS, TRACKING, "car-launcher"},
    "validate_dataset": {OBJECTS},
}
# Environment of a task that may run under our service account only.
AS_PIPELINE: Mapping[str, str] = {EXPECTED: pipeline_account()}
CLAIMS: Mapping[str, set[str]] = {}  # artifacts are in the object store


def expected(task: Task) -> set[str]:
    """Return the secrets and claims that the access table gives a task."""
    return READS.get(task.job, set()) | {f"claim {name}" for name in CLAIMS.get(task.job, ())}


def given(task: Task) -> Iterator[str]:
    """Yield the secrets and claims of a compiled task; with the way, if that is unusual."""
    for read in task.placed.get("secretAsEnv", ()):
        name = _name(read, "secretName")
        yield name if name in IN_ENVIRONMENT else f"{name} in its environment"
    for mount in task.placed.get("secretAsVolume", ()):
        name, path = _name(mount, "secretName"), mount.get("mountPath")
        usual = path == f"/var/run/secrets/{name}" and name not in IN_ENVIRONMENT
        yield name if usual else f"{name} at {path}"
    for pull in task.placed.get("imagePullSecret", ()):
        yield f"{_name(pull, 'secretName')} for its image"
    for claim in task.placed.get("pvcMount", ()):
        yield f"claim {_name(claim, 'constant', 'pvcNameParameter')}"


def _name(reference: Body, field: str, parameter: str = "") -> str:
    """Return the constant name of a secret or claim, else the whole reference.

    If there are two names, Kubeflow takes the parameter's, which may be known to a run alone.
    """
    given = reference.get(parameter or f"{field}Parameter")
    name = given.get("runtimeValue", {}).get("constant") if given else reference.get(field)
    agrees = given is None or given == {"runtimeValue": {"constant": name}}
    if isinstance(name, str) and agrees and reference.get(field, name) == name:
        return name
    return json.dumps([reference.get(field), given])
