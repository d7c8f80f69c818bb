"""Kubernetes placement of tasks: resources, timeout, retries, secrets, mounts, service account.

No other file uses `kfp.kubernetes`. What a task may read and mount stands in the access table
(`policy.access`) alone; a graph says only how large a task is.

Kubeflow's own cache is off for every task. It identifies an artifact by its name, not by its
bytes, and would take one snapshot for another; our steps find finished work by content.

A task that fails is tried again only as far as the workflow controller's retry policy goes:
that of Pipelines 2.17 (`OnError`) covers a deleted pod and errors around it, not a task that
exits by itself, runs out of memory or is evicted. So every task runs inside `components.task`,
which waits for an outage of database, object store, stream or API by itself.
"""

from collections.abc import Callable, Mapping

from kfp import dsl, kubernetes
from kfp.dsl.structures import ResourceSpec

from pipelines.policy.access import (
    AS_PIPELINE,
    FORMER_POLICY,
    POLICY_CONFIG_MAP,
    POLICY_FOLDER,
    Grant,
    grants_of,
)
from pipelines.policy.sizes import Kind, size_of

SECONDS: dict[Kind, int] = {"light": 1800, "long": 12 * 3600, "heavy": 12 * 3600}
KFP_ENTRY, OUR_ENTRY = "python3 -m kfp.dsl.", "python3 -m components.task kfp.dsl."


def light(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Request few resources, with a timeout of half an hour."""
    return _placed(task, "light")


def long(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Request few resources, with a timeout of half a day."""
    return _placed(task, "long")


def heavy(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Request the resources of a training, with a timeout of half a day."""
    return _placed(task, "heavy")


def last(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Request few resources for the exit handler's task, under any service account."""
    return _placed(task, "light", {})


def give(task: dsl.PipelineTask, *grants: Grant) -> dsl.PipelineTask:
    """Mount the secrets and config maps of some grants of the access table."""
    for grant in grants:
        MOUNTS[grant](task)
    return task


def _with_database(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Give a task the PostgreSQL URL from its secret."""
    return _secret(task, "car-database", {"url": "DATABASE_URL"})


def _with_objects(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Give a task the object store: its address from a config map, its keys from a secret."""
    kubernetes.use_config_map_as_env(
        task, config_map_name="car-objects", config_map_key_to_env={"url": "OBJECT_STORE_URL"}
    )
    kubernetes.use_config_map_as_env(  # where S3 is not Amazon's
        task,
        config_map_name="car-objects",
        config_map_key_to_env={
            "endpoint": "AWS_ENDPOINT_URL",
            "region": "AWS_REGION",
            "allow_http": "AWS_ALLOW_HTTP",
        },
        optional=True,
    )
    keys = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY"}
    return _secret(task, "car-objects", keys)


def _with_stream(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Give a task Kafka: brokers from a config map, and credentials if the brokers need them."""
    kubernetes.use_config_map_as_env(
        task,
        config_map_name="car-stream",
        config_map_key_to_env={"bootstrap_servers": "KAFKA_BOOTSTRAP_SERVERS"},
    )
    kubernetes.use_config_map_as_env(  # where brokers use TLS or SASL
        task,
        config_map_name="car-stream-access",
        config_map_key_to_env={
            "security_protocol": "KAFKA_SECURITY_PROTOCOL",
            "sasl_mechanism": "KAFKA_SASL_MECHANISM",
            "username": "KAFKA_SASL_USERNAME",
            "ca_file": "KAFKA_SSL_CA_FILE",
        },
        optional=True,
    )
    kubernetes.use_secret_as_volume(
        task,
        secret_name="car-stream-cluster-ca-cert",
        mount_path="/var/run/secrets/car-stream-cluster-ca-cert",
        optional=True,
    )
    return kubernetes.use_secret_as_env(
        task,
        secret_name="car-import",
        secret_key_to_env={"password": "KAFKA_SASL_PASSWORD"},
        optional=True,
    )


def _with_detector(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Give a task the serving target, its settings, and the deployer's account token."""
    kubernetes.use_config_map_as_env(
        task,
        config_map_name="car-detector",
        config_map_key_to_env={
            "target": "DETECTOR_TARGET",
            "service": "DETECTOR_SERVICE",
            "predictor": "DETECTOR_PREDICTOR",
        },
    )
    kubernetes.use_config_map_as_env(  # not read any more, and refused where it is
        task,
        config_map_name="car-detector",
        config_map_key_to_env={"policy": FORMER_POLICY},
        optional=True,
    )
    kubernetes.use_config_map_as_volume(  # for Triton, which cannot verify what it serves
        task,
        config_map_name="car-public-key",
        mount_path="/var/run/secrets/car-public-key",
        optional=True,
    )
    return _acting_as(task, "car-deployer")


def _with_workers(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Give a task the pod settings of training workers, and the launcher's account token."""
    kubernetes.use_config_map_as_env(
        task,
        config_map_name="car-training",
        config_map_key_to_env={"workers": "TRAINING_WORKERS"},
        optional=True,
    )
    return _acting_as(task, "car-launcher")


def _with_kubeflow(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Give a task the URL of Kubeflow Pipelines, and the token of the account that submits runs."""
    kubernetes.use_config_map_as_env(
        task, config_map_name="car-kubeflow", config_map_key_to_env={"host": "KFP_HOST"}
    )
    return _acting_as(task, "car-trigger")


def _with_tracking(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Give a task the MLflow URL and credentials, where there are any."""
    kubernetes.use_config_map_as_env(
        task,
        config_map_name="car-tracking",
        config_map_key_to_env={"uri": "MLFLOW_TRACKING_URI"},
        optional=True,
    )
    return kubernetes.use_secret_as_env(
        task,
        secret_name="car-tracking",
        secret_key_to_env={
            "username": "MLFLOW_TRACKING_USERNAME",
            "password": "MLFLOW_TRACKING_PASSWORD",
            "token": "MLFLOW_TRACKING_TOKEN",
        },
        optional=True,
    )


def _with_signing_key(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Give a task the private key that signs model packages: `private.pem` of a secret."""
    kubernetes.use_secret_as_volume(
        task, secret_name="car-signing", mount_path="/var/run/secrets/car-signing", optional=True
    )
    return task


def _with_policy(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Mount the policy file, where there is one: a change needs no new image."""
    return kubernetes.use_config_map_as_volume(
        task, config_map_name=POLICY_CONFIG_MAP, mount_path=POLICY_FOLDER, optional=True
    )


MOUNTS: Mapping[Grant, Callable[[dsl.PipelineTask], dsl.PipelineTask]] = {
    "database": _with_database,
    "objects": _with_objects,
    "stream": _with_stream,
    "tracking": _with_tracking,
    "detector": _with_detector,
    "workers": _with_workers,
    "kubeflow": _with_kubeflow,
    "signing_key": _with_signing_key,
}


def _placed(
    task: dsl.PipelineTask, kind: Kind, account: Mapping[str, str] = AS_PIPELINE
) -> dsl.PipelineTask:
    job = task.component_spec.name.replace("-", "_")
    size = size_of(kind, job)
    give(_with_policy(task), *grants_of(job))
    task.set_caching_options(enable_caching=False)
    task.set_retry(num_retries=2, backoff_duration="2s", backoff_factor=4.0)
    kubernetes.set_timeout(task, SECONDS[kind])
    kubernetes.set_security_context(task, run_as_non_root=True)
    spec = task.container_spec
    spec.command = [word.replace(KFP_ENTRY, OUR_ENTRY, 1) for word in spec.command]
    # KFP's setters look through the whole call stack each time: seconds for all pipelines.
    spec.resources = ResourceSpec(
        cpu_request=size.cpu,
        cpu_limit=size.cpu_limit or size.cpu,
        memory_request=size.memory,
        memory_limit=size.memory_limit or size.memory,
    )
    spec.env = {**(spec.env or {}), **account}
    return task


def _secret(task: dsl.PipelineTask, name: str, keys: dict[str, str]) -> dsl.PipelineTask:
    return kubernetes.use_secret_as_env(task, secret_name=name, secret_key_to_env=keys)


def _acting_as(task: dsl.PipelineTask, account: str) -> dsl.PipelineTask:
    """Mount the token of one service account, so that a task has no more rights than it needs."""
    return kubernetes.use_secret_as_volume(
        task, secret_name=account, mount_path=f"/var/run/secrets/{account}"
    )
