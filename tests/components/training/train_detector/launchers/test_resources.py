"""What is sent to a cluster follows from plan and settings, and is what its schemas know."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from components.shared.contracts.errors import UserError
from components.training.train_detector.launchers import tfjob, trainjob
from components.training.train_detector.launchers.follow import GRACE_S, LAST_LINES_S
from components.training.train_detector.launchers.pods import job_name
from components.training.train_detector.launchers.worker_settings import (
    WorkerSettings,
    worker_settings,
)
from pipelines.placement import SECONDS
from tests.support.training_pods import a_job

FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CRDS = Path(__file__).parents[6] / "shared/crds"
RUNTIME = (
    Path(__file__).parents[5] / "manifests/components/training-runtime/trainingruntime-workers.yaml"
)
FILES = {
    tfjob: "training-operator-1.9.0/kubeflow.org_tfjobs.yaml",
    trainjob: "trainer-2.3.0/trainer.kubeflow.org_trainjobs.yaml",
}
RICH = """
service_account: workers
cpu: 8
memory: 32Gi
gpus: 1
communication: nccl
node_selector: {pool: gpus}
tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]
volumes: [{claim: shards, path: /data, read_only: true}]
time_limit_s: 600
"""
OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "launcher", "uid": "7"}


def body_of(kind, settings=RICH, **changes):
    return kind.body(a_job(worker_settings(settings), **changes))


def container_and_pod(kind, body):
    """Return what a worker's container and pod will say, wherever the resource says it."""
    if kind is tfjob:
        pod = body["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]
        return pod["containers"][0], pod
    (patch,) = body["spec"]["runtimePatches"]
    (job,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    pod = job["template"]["spec"]["template"]["spec"]
    trainer = body["spec"]["trainer"]
    own = {**trainer, "resources": trainer["resourcesPerNode"]}
    return {**own, **pod["containers"][0]}, pod


def strict(schema):
    """Return a schema that refuses what it does not know, as a careful API server would."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {}
    schema = {name: strict(part) for name, part in schema.items() if name != "format"}
    if "properties" in schema and "additionalProperties" not in schema:
        schema["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    return schema


both = pytest.mark.parametrize("kind", [tfjob, trainjob], ids=["tfjob", "trainjob"])


@both
@pytest.mark.skipif(not CRDS.exists(), reason="the schemas are not beside this project")
@pytest.mark.parametrize("settings", ["", RICH], ids=["plain", "rich"])
def test_a_resource_is_what_its_schema_says_where_shared_data_is(kind, settings):
    (version,) = yaml.load((CRDS / FILES[kind]).read_text(), FAST)["spec"]["versions"]
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {}

    errors = Draft202012Validator(schema).iter_errors(body_of(kind, settings, owner=(OWNER,)))

    assert [error.message for error in errors] == []


@both
def test_the_same_plan_makes_the_same_resource(kind):
    assert body_of(kind) == body_of(kind)


def test_a_name_follows_from_what_is_trained_and_fits_a_label():
    name = job_name("a" * 64, "b" * 64)

    assert name == job_name("a" * 64, "b" * 64) != job_name("c" * 64, "b" * 64)
    assert len(f"{name}-worker-99") <= 63


@both
def test_keys_of_the_object_store_are_references(kind):
    container, _ = container_and_pod(kind, body_of(kind))
    sources = {one["name"]: one.get("valueFrom") for one in container["env"]}

    assert sources["AWS_SECRET_ACCESS_KEY"] == {
        "secretKeyRef": {"name": "car-objects", "key": "secret_key", "optional": True}
    }
    assert sources["OBJECT_STORE_URL"] == {
        "configMapKeyRef": {"name": "car-objects", "key": "url", "optional": False}
    }


@both
def test_workers_have_no_rights(kind):
    container, pod = container_and_pod(kind, body_of(kind))

    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]


@both
def test_workers_get_what_the_settings_say(kind):
    container, pod = container_and_pod(kind, body_of(kind))

    assert container["resources"]["limits"] == {
        "cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1",
    }  # fmt: skip
    assert pod["nodeSelector"] == {"pool": "gpus"}
    assert pod["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert {"name": "claim-0", "mountPath": "/data", "readOnly": True} in container["volumeMounts"]
    assert {"name": "WORKER_COMMUNICATION", "value": "nccl"} in container["env"]
    assert {"name": "WORKER_THREADS", "value": "8"} in container["env"]


def test_a_tfjob_retries_by_exit_code_and_ends_in_time():
    spec = body_of(tfjob, "time_limit_s: 600\nkeep_s: 5")["spec"]

    assert spec["tfReplicaSpecs"]["Worker"]["restartPolicy"] == "ExitCode"
    assert spec["tfReplicaSpecs"]["Worker"]["replicas"] == 2
    assert spec["runPolicy"]["activeDeadlineSeconds"] == 600
    assert spec["runPolicy"]["ttlSecondsAfterFinished"] == 5


def test_a_tfjob_carries_priority_and_pull_policy():
    container, pod = container_and_pod(
        tfjob, body_of(tfjob, "priority_class: low\nimage_pull_policy: Never")
    )

    assert (pod["priorityClassName"], container["imagePullPolicy"]) == ("low", "Never")


def test_a_trainjob_refuses_what_its_runtime_alone_can_say():
    with pytest.raises(UserError, match="a TrainJob takes it from its TrainingRuntime car-workers"):
        body_of(trainjob, "priority_class: low")


@both
def test_a_job_ends_with_its_owner(kind):
    assert body_of(kind, owner=(OWNER,))["metadata"]["ownerReferences"] == [OWNER]
    assert "ownerReferences" not in body_of(kind)["metadata"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("gpu: 1", "TRAINING_WORKERS: gpu: Extra inputs are not permitted.*settings are image"),
        ("cpu: much", "TRAINING_WORKERS: cpu: String should match"),
        ("cpu: 4Gi", "TRAINING_WORKERS: cpu: String should match"),
        ("cpu: 4k", "TRAINING_WORKERS: cpu: String should match"),
        ("cpu: 0", "TRAINING_WORKERS: cpu: expected an amount above 0, such.*, got 0"),
        ("cpu: 0.0m", "TRAINING_WORKERS: cpu: expected an amount above 0"),
        ("memory: much", "TRAINING_WORKERS: memory: expected an amount above 0"),
        ("memory: 0Gi", "TRAINING_WORKERS: memory: expected an amount above 0"),
        ("gpus: 2", "TRAINING_WORKERS: gpus: Input should be less than or equal to 1"),
        ("communication: nccl", "communication is nccl, which needs gpus: 1"),
        ("[1, 2]", "TRAINING_WORKERS: record: "),
        ("{", "TRAINING_WORKERS is no YAML"),
    ],
)
def test_a_wrong_setting_is_named(text, complaint):
    with pytest.raises(UserError, match=complaint):
        worker_settings(text)


@pytest.mark.parametrize(("cpu", "threads"), [("4", 4), ("1.5", 2), ("2500m", 3), ("50m", 1)])
def test_a_worker_has_a_thread_for_each_core_or_part_of_one(cpu, threads):
    assert worker_settings(f"cpu: {cpu}").threads == threads


def test_a_trainjob_refuses_more_restarts_than_its_runtime_makes():
    with pytest.raises(
        UserError, match="restarts is 6, but the TrainingRuntime car-workers begins"
    ):
        body_of(trainjob, "restarts: 6")


def test_a_runtime_of_ones_own_may_restart_as_often_as_it_likes():
    assert body_of(trainjob, "restarts: 6\nruntime: mine")


def test_the_limit_of_restarts_is_that_of_the_runtime_in_the_manifests():
    runtime = yaml.load(RUNTIME.read_text(), FAST)

    most = runtime["spec"]["template"]["spec"]["failurePolicy"]["maxRestarts"]

    assert {runtime["metadata"]["name"]: most} == trainjob.MAX_RESTARTS
    assert WorkerSettings().restarts <= most


def test_a_launcher_ends_an_overdue_job_before_its_own_task_is_ended():
    assert WorkerSettings().time_limit_s + GRACE_S + LAST_LINES_S < SECONDS["long"]


def test_no_settings_are_the_defaults():
    assert worker_settings("") == WorkerSettings()
