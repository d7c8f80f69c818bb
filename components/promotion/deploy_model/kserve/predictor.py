"""Build the KServe predictor spec: container, resources, probes, security context, scaling."""

from collections.abc import Mapping
from typing import Any

from components.promotion.deploy_model.kserve import stream as kafka
from components.promotion.deploy_model.kserve.names import DEPLOYMENT_MODE, GROUP, SERVER
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.release import Release
from components.shared.cluster.client import Body
from components.shared.contracts.errors import UserError
from components.shared.contracts.record import canonical, digest_of
from components.shared.settings import policy_file

MODELS = "car-detection/models"  # annotation of a predictor: digests by dataset
MADE = "car-detection/made"  # another: digest of the rest of the spec, also on the pods
PORT = 8080
MOUNT = "/mnt/models"  # where KServe's storage initializer puts what it downloads
KEY = "/etc/car-detection/public.pem"


def own_server(settings: PredictorSettings, release: Release) -> Body:
    """Return the predictor of our own server, without replicas, name or scaling.

    Args:
        settings: Settings of the pods.
        release: Packages that it serves.
    """
    from kserve import V1beta1PredictorSpec
    from kubernetes import client

    volumes = [client.V1Volume(name="tmp", empty_dir=client.V1EmptyDirVolumeSource())]
    if settings.public_key:
        key = client.V1ConfigMapVolumeSource(name=settings.public_key)
        volumes.append(client.V1Volume(name="public-key", config_map=key))
    policy = client.V1ConfigMapVolumeSource(name=policy_file.CONFIG_MAP, optional=True)
    volumes.append(client.V1Volume(name="policy", config_map=policy))
    volumes += [volume for volume, _ in kafka.volumes(settings.stream)]
    spec = V1beta1PredictorSpec(
        annotations={MODELS: canonical(release.models)},
        containers=[_container(settings, release)],
        volumes=volumes,
        **common(settings),
    )
    return _named(plain(spec))


def triton_server(settings: PredictorSettings, release: Release) -> Body:
    """Return the predictor of KServe's Triton runtime over a Triton repository.

    Args:
        settings: Settings of the pods.
        release: Packages that it serves.
    """
    from kserve import V1beta1ModelFormat, V1beta1ModelSpec, V1beta1PredictorSpec

    model = V1beta1ModelSpec(
        model_format=V1beta1ModelFormat(name="triton"),
        runtime="kserve-tritonserver",
        protocol_version="v2",
        storage_uri=release.uri,
        resources=_resources(settings),
        security_context=_restricted(run_as_user=1000),  # by its image alone it is root
    )
    spec = V1beta1PredictorSpec(
        annotations={MODELS: canonical(release.models)}, model=model, **common(settings)
    )
    return _named(plain(spec))


def scaled(settings: PredictorSettings, predictor: Mapping[str, Any]) -> Body:
    """Return a predictor with replicas and scaling of the stable track.

    Args:
        settings: Settings of the pods: smallest and largest number of replicas.
        predictor: Predictor of an InferenceService.
    """
    scaling = {
        "minReplicas": settings.min_replicas,
        "maxReplicas": max(settings.max_replicas, settings.min_replicas),
        "scaleMetric": settings.scale_metric,
        "scaleTarget": settings.scale_target,
    }
    kept = {name: value for name, value in predictor.items() if name not in scaling}
    return kept | {name: value for name, value in scaling.items() if value is not None}


def service_body(settings: PredictorSettings, name: str, predictor: Mapping[str, Any]) -> Body:
    """Return a new InferenceService, with its deployment mode as annotation.

    Args:
        settings: Settings of the pods.
        name: Name of the InferenceService.
        predictor: Spec of its predictor.
    """
    annotations: dict[str, str] = {DEPLOYMENT_MODE: settings.mode}
    if settings.mode == "Standard":
        scales = settings.max_replicas > settings.min_replicas
        annotations[f"{GROUP}/autoscalerClass"] = "hpa" if scales else "none"
    else:
        annotations[f"{GROUP}/enable-tag-routing"] = "true"
    if settings.storage_secret:
        annotations[f"{GROUP}/storageSecretName"] = settings.storage_secret
    labels = {"app.kubernetes.io/part-of": "car-detection"}
    if settings.visibility == "cluster-local":
        labels["networking.kserve.io/visibility"] = settings.visibility
    return {
        "apiVersion": f"{GROUP}/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "annotations": annotations, "labels": labels},
        "spec": {"predictor": dict(predictor)},
    }


def common(settings: PredictorSettings) -> dict[str, Any]:
    """Return the fields that predictors of both servers share, as arguments of the SDK."""
    from kubernetes import client

    return {
        "storage_container_name": settings.storage_container,
        "service_account_name": settings.service_account,
        "automount_service_account_token": False,
        "enable_service_links": False,
        "timeout": settings.timeout_seconds,
        "node_selector": dict(settings.node_selector) or None,
        "tolerations": [_toleration(client, each) for each in settings.tolerations] or None,
        "priority_class_name": settings.priority_class,
    }


def plain(model: Any) -> Body:
    """Return an object of the SDK as JSON for the API server."""
    from kubernetes import client

    body: Body = client.ApiClient().sanitize_for_serialization(model)
    return body


def _named(predictor: Body) -> Body:
    """Annotate a predictor with its digest, which tells its pods from older ones."""
    made = {MADE: digest_of(predictor)}
    return predictor | {"annotations": predictor["annotations"] | made}


def _container(settings: PredictorSettings, release: Release) -> Any:
    from kubernetes import client

    mounts = [client.V1VolumeMount(name="tmp", mount_path="/tmp")]
    if settings.public_key:
        folder = KEY.rpartition("/")[0]
        mounts.append(client.V1VolumeMount(name="public-key", mount_path=folder, read_only=True))
    folder = str(policy_file.MOUNT)
    mounts.append(client.V1VolumeMount(name="policy", mount_path=folder, read_only=True))
    mounts += [mount for _, mount in kafka.volumes(settings.stream)]
    return client.V1Container(
        name=SERVER,
        image=settings.image,
        args=["serve_detector", "--host", "0.0.0.0", "--model-root", MOUNT, "--strict"],
        env=_environment(settings, release),
        ports=[client.V1ContainerPort(container_port=PORT, protocol="TCP")],
        readiness_probe=_probe("ready", period_seconds=2, failure_threshold=3),
        liveness_probe=_probe(
            "live", initial_delay_seconds=30, period_seconds=10, failure_threshold=6
        ),
        resources=_resources(settings),
        security_context=_restricted(),
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=mounts,
    )


def _environment(settings: PredictorSettings, release: Release) -> list[Any]:
    from kubernetes import client

    variables = [
        # KServe downloads this to MOUNT. It knows `storageUris` too, but leaves those of a
        # canary out.
        client.V1EnvVar(name="STORAGE_URI", value=release.uri),
        client.V1EnvVar(name="PROTOCOL", value="v2"),
        *kafka.variables(settings.stream),
    ]
    if settings.public_key:
        variables.append(client.V1EnvVar(name="SIGNING_PUBLIC_KEY", value=KEY))
    return variables


def _resources(settings: PredictorSettings) -> Any:
    from kubernetes import client

    return client.V1ResourceRequirements(
        requests=dict(settings.requests), limits=dict(settings.limits)
    )


def _restricted(run_as_user: int | None = None) -> Any:
    """Return the security context of a container for the Pod Security Standard `restricted`.

    It is set on the container, because Knative by default allows none on the pod. The
    storage initializer has that of its ClusterStorageContainer (`storage`).
    """
    from kubernetes import client

    return client.V1SecurityContext(
        run_as_non_root=True,
        run_as_user=run_as_user,
        read_only_root_filesystem=True,
        allow_privilege_escalation=False,
        capabilities=client.V1Capabilities(drop=["ALL"]),
        seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
    )


def _probe(what: str, **times: int) -> Any:
    from kubernetes import client

    path = client.V1HTTPGetAction(path=f"/v2/health/{what}", port=PORT)
    return client.V1Probe(http_get=path, timeout_seconds=2, **times)


def _toleration(client: Any, words: Mapping[str, str]) -> Any:
    names = {"key", "operator", "value", "effect"}
    if set(words) - names:
        raise UserError(f"tolerations: {dict(words)} has other words than {sorted(names)}")
    return client.V1Toleration(**words)
