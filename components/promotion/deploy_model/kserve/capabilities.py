"""Detect what KServe on this cluster supports, and refuse settings that it would ignore."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.promotion.deploy_model.kserve.names import DEPLOYMENT_MODE, GROUP, SERVER
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.routes import ROUTES
from components.promotion.deploy_model.kserve.storage import complaint
from components.shared.cluster.client import Body, Cluster, ClusterError, Kind
from components.shared.contracts.errors import UserError

SERVICES = Kind(GROUP, "v1beta1", "inferenceservices")
KNATIVE = Kind("serving.knative.dev", "v1", "services")
FORBIDDEN = 403
CONFIG = "inferenceservice-config"  # of KServe's own namespace
INSIDE = "svc.cluster.local"
QUESTION = "car-detection-question"  # name of an object that is only used in dry runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Features of KServe and the cluster.

    Attributes:
        canary: Whether the API server keeps `spec.canary` (KServe 0.20). No field shows whether
            KServe splits requests by it: a rollout sees it in the HTTPRoute, at the first share.
        routes: Whether Gateway API is installed.
        readable: Whether this account may read HTTPRoutes.
        knative: Whether Knative Serving is installed.
        ingress: Section `ingress` of KServe's configuration; None if it may not be read.
        storage: Why no pod would get its files, or None.
    """

    canary: bool = True
    routes: bool = True
    readable: bool = True
    knative: bool = True
    ingress: Mapping[str, Any] | None = field(default_factory=dict)
    storage: str | None = None


def read_capabilities(cluster: Cluster, settings: PredictorSettings) -> Capabilities:
    """Detect the features of the cluster; nothing is changed.

    Args:
        cluster: Client of the cluster.
        settings: Settings of the pods: mode and namespace of KServe.

    Raises:
        UserError: If KServe is not installed.
    """
    if not cluster.serves(SERVICES):
        raise UserError(f"the cluster knows no InferenceService: install KServe ({GROUP}/v1beta1)")
    config = cluster.config_map(settings.kserve_namespace, CONFIG)
    kept = _kept(cluster, settings.mode)
    routes = cluster.serves(ROUTES)
    return Capabilities(
        canary="canary" in kept,
        routes=routes,
        readable=routes and _readable(cluster),
        knative=cluster.serves(KNATIVE),
        ingress=None if config is None else json.loads(config.get("ingress", "{}")),
        storage=complaint(
            cluster, settings.storage_container, known="storageContainerName" in kept["predictor"]
        ),
    )


def _readable(cluster: Cluster) -> bool:
    try:
        cluster.get(ROUTES, QUESTION)
    except ClusterError as cause:
        if cause.status == FORBIDDEN:
            return False
        raise
    return True


def _kept(cluster: Cluster, mode: str) -> Body:
    """Return what a dry run keeps of a spec: unknown fields are dropped silently."""
    container = {"name": SERVER, "image": "none"}
    uri = {"name": "STORAGE_URI", "value": "s3://none/a"}
    predictor = {
        "containers": [container | {"env": [uri]}], "minReplicas": 1,
        "storageContainerName": "default",
    }  # fmt: skip
    canaries = [{"trafficPercent": 0, "predictor": predictor | {"name": "b"}}]
    body = {
        "apiVersion": f"{GROUP}/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": QUESTION,
            "annotations": {DEPLOYMENT_MODE: mode},
        },
        "spec": {"predictor": predictor} | ({"canary": canaries} if mode == "Standard" else {}),
    }
    spec: Body = cluster.create(SERVICES, body, dry_run=True)["spec"]
    return spec


def check(settings: PredictorSettings, able: Capabilities, service: Body | None) -> None:
    """Refuse settings that would silently have no effect.

    Args:
        settings: Settings of the pods.
        able: Features of the cluster.
        service: The InferenceService, or None.

    Raises:
        UserError: With a sentence for each setting, and what to set instead.
    """
    found = [*_about_scaling(settings), *_about_mode(settings, able), *_about(settings, service)]
    found += [able.storage] if able.storage else []
    if found:
        raise UserError("; ".join(found))


def _about_scaling(settings: PredictorSettings) -> Iterator[str]:
    if settings.mode == "Standard":
        if settings.min_replicas == 0:
            yield (
                "Standard mode does not scale to zero: set min_replicas to 1 or more, or mode to "
                "Knative"
            )
        if settings.scale_metric in ("concurrency", "rps"):
            yield (
                f"Standard mode does not scale by {settings.scale_metric}: set scale_metric to cpu "
                "or memory, or mode to Knative"
            )
    elif settings.scale_metric in ("cpu", "memory"):
        yield (
            f"Knative mode does not scale by {settings.scale_metric}: set scale_metric to "
            "concurrency or rps, or mode to Standard"
        )
    wanted = settings.scale_metric or settings.scale_target
    if wanted and settings.max_replicas <= settings.min_replicas:
        yield (
            f"nothing scales from {settings.min_replicas} to {settings.max_replicas} replicas: "
            "raise max_replicas, or leave scale_metric and scale_target out"
        )


def _about_mode(settings: PredictorSettings, able: Capabilities) -> Iterator[str]:
    if settings.mode == "Knative":
        if not able.knative:
            yield "Knative Serving is not installed: install it, or set mode to Standard"
        return
    if not able.canary:
        yield "KServe here drops spec.canary: install KServe 0.21 or later, or set mode to Knative"
    if able.routes and not able.readable:
        yield "HTTPRoutes cannot be read: let the deployer's account get httproutes"
    if not able.routes:
        yield (
            "nothing splits requests without Gateway API: install its CRDs and a gateway, or set "
            "mode to Knative"
        )
    yield from _about_ingress(able.ingress, f"{settings.kserve_namespace}/{CONFIG}")
    if settings.visibility == "cluster-local":
        yield (
            "a cluster-local service has no route that splits requests: set visibility to "
            "external, or mode to Knative"
        )


def _about_ingress(ingress: Mapping[str, Any] | None, config: str) -> Iterator[str]:
    where = f"in ingress of config map {config}"
    if ingress is None:
        yield (
            f"config map {config} cannot be read, so it is unknown whether requests are split: let "
            "the deployer's account get it, or set kserve_namespace to where it is"
        )
        return
    if not ingress.get("enableGatewayApi"):
        yield f"KServe does not use Gateway API: set enableGatewayApi to true {where}"
    if ingress.get("disableIngressCreation"):
        yield f"KServe makes no routes: set disableIngressCreation to false {where}"
    if ingress.get("ingressDomain") == INSIDE:
        yield f"KServe makes no routes for the domain {INSIDE}: set another ingressDomain {where}"


def _about(settings: PredictorSettings, service: Body | None) -> Iterator[str]:
    if service is None:
        return
    name, spec = service["metadata"]["name"], service["spec"]
    mode = service["metadata"].get("annotations", {}).get(DEPLOYMENT_MODE)
    runs = service.get("status", {}).get("deploymentMode")
    if mode != settings.mode or (runs and runs != settings.mode):
        yield (
            f"{name} runs in {runs or mode} mode, which cannot change: set mode to that, or "
            f"delete the InferenceService first"
        )
    if settings.mode == "Standard" and "canaryTrafficPercent" in spec["predictor"]:
        yield f"Standard mode ignores canaryTrafficPercent: remove it from {name}"
    if settings.mode == "Knative" and spec.get("canary"):
        yield f"Knative mode ignores spec.canary: remove it from {name}"


def dropped(sent: object, kept: object, path: str = "spec") -> str | None:
    """Return the path of the first field that the API server dropped, or None.

    Args:
        sent: The object that was sent.
        kept: The object that was stored.
        path: Path of both, for the result.

    >>> dropped({"a": {"b": 1, "c": []}}, {"a": {}})
    'spec.a.b'
    """
    if isinstance(sent, Mapping):
        for name, value in sent.items():
            if value in (None, [], {}):
                continue
            if not isinstance(kept, Mapping) or name not in kept:
                return f"{path}.{name}"
            if below := dropped(value, kept[name], f"{path}.{name}"):
                return below
    if isinstance(sent, list):
        for place, value in enumerate(sent):
            if not isinstance(kept, list) or len(kept) <= place:
                return f"{path}[{place}]"
            if below := dropped(value, kept[place], f"{path}[{place}]"):
                return below
    return None
