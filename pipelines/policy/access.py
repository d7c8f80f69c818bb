"""Access table: the secrets, config maps and volume claims that each task may have."""

import json
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from components.shared.contracts.account import EXPECTED, pipeline_account
from components.shared.settings import policy_file
from pipelines.policy.compiled import Body, Task

Grant = Literal[
    "database", "objects", "stream", "tracking", "detector", "workers", "kubeflow", "signing_key"
]


class Mounted(NamedTuple):
    """The secrets and config maps of one grant."""

    secrets: frozenset[str]
    config_maps: frozenset[str] = frozenset()


STREAM_CA = "car-stream-cluster-ca-cert"
# What a grant gives; `placement` mounts it.
GRANTS: Mapping[Grant, Mounted] = {
    "database": Mounted(frozenset({"car-database"})),
    "objects": Mounted(frozenset({"car-objects"}), frozenset({"car-objects"})),
    "stream": Mounted(
        frozenset({"car-import", STREAM_CA}), frozenset({"car-stream", "car-stream-access"})
    ),
    "tracking": Mounted(frozenset({"car-tracking"}), frozenset({"car-tracking"})),
    "detector": Mounted(frozenset({"car-deployer"}), frozenset({"car-detector", "car-public-key"})),
    "workers": Mounted(frozenset({"car-launcher"}), frozenset({"car-training"})),
    "kubeflow": Mounted(frozenset({"car-trigger"}), frozenset({"car-kubeflow"})),
    "signing_key": Mounted(frozenset({"car-signing"})),
}
# The grants of each job. A job that is not here has none, and every task has the policy.
ACCESS: Mapping[str, tuple[Grant, ...]] = {
    "check_model": ("objects",),
    "decide_retraining": ("database",),
    "deploy_model": ("database", "objects", "detector"),
    "detect_drift": ("objects",),
    "evaluate_detector": ("objects", "tracking"),
    "export_onnx": ("objects",),
    "extract_window": ("database", "objects"),
    "fetch_model": ("database", "objects"),
    "import_dataset": ("objects", "stream"),
    "record_outcome": ("database", "kubeflow"),
    "register_model": ("database", "objects", "signing_key", "tracking"),
    "score_dataset": ("objects",),
    "snapshot_dataset": ("database", "objects"),
    "submit_training": ("database", "kubeflow"),
    "train_detector": ("objects", "workers", "tracking"),
    "validate_dataset": ("objects",),
}
# Secrets that are environment variables; every other one is mounted at /var/run/secrets/<name>.
IN_ENVIRONMENT = {"car-database", "car-objects", "car-tracking", "car-import"}
# The policy file, which every task has, and the variable that it took the place of.
POLICY_CONFIG_MAP, POLICY_FOLDER = policy_file.CONFIG_MAP, str(policy_file.MOUNT)
FORMER_POLICY = policy_file.FORMER
# Environment of a task that may run under our service account only.
AS_PIPELINE: Mapping[str, str] = {EXPECTED: pipeline_account()}
CLAIMS: Mapping[str, set[str]] = {}  # artifacts are in the object store


def grants_of(job: str) -> tuple[Grant, ...]:
    """Return the grants of a job, by the name of its component function."""
    return ACCESS.get(job, ())


def expected(task: Task) -> set[str]:
    """Return the secrets and claims that the access table gives a task."""
    secrets = {name for grant in grants_of(task.job) for name in GRANTS[grant].secrets}
    return secrets | {f"claim {name}" for name in CLAIMS.get(task.job, ())}


def expected_config_maps(task: Task) -> set[str]:
    """Return the config maps that the access table gives a task, the policy among them."""
    names = (name for grant in grants_of(task.job) for name in GRANTS[grant].config_maps)
    return {POLICY_CONFIG_MAP, *names}


def given_config_maps(task: Task) -> set[str]:
    """Return the config maps of a compiled task."""
    kinds = ("configMapAsEnv", "configMapAsVolume")
    return {_name(read, "configMapName") for kind in kinds for read in task.placed.get(kind, ())}


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
