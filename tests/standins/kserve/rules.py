"""The rules of KServe's webhook, of what it makes of a canary, and of Pod Security."""

from copy import deepcopy
from typing import Any

Body = dict[str, Any]
SCALING = ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget")
INITIALIZER = "storage-initializer"


def deployment_name(service: str, predictor: Body) -> str:
    """Return `<service>[-<name>]-predictor`."""
    return "-".join(part for part in (service, predictor.get("name"), "predictor") if part)


def template(predictor: Body, shared: dict[str, str]) -> Body:
    """Return what makes pods: the predictor, without its scaling and its name."""
    kept = {key: value for key, value in predictor.items() if key not in (*SCALING, "name")}
    return kept | {"annotations": shared | (predictor.get("annotations") or {})}


def merge(stable: Body, canary: Body) -> Body:
    """Lay a canary's fields over the stable ones: maps by key, everything else whole."""
    merged = deepcopy(stable)
    for name, value in canary.items():
        old = merged.get(name)
        merged[name] = merge(old, value) if isinstance(value, dict) and old else value
    return merged


def canary_replicas(service: Body, canary: Body) -> int:
    """Return its own replicas, or its share of the stable ones, rounded up."""
    asked = canary["predictor"].get("minReplicas")
    stable = service["spec"]["predictor"].get("minReplicas", 1)
    return int(-(-stable * canary["trafficPercent"] // 100) if asked is None else asked)


def violations(service: Body) -> list[str]:
    """Return which of the webhook's rules a spec breaks."""
    stable, canaries = service["spec"]["predictor"], service["spec"].get("canary") or []
    mode = service["metadata"].get("annotations", {}).get("serving.kserve.io/deploymentMode")
    names = [each["predictor"].get("name") for each in canaries]
    uris = [each for each in stable["containers"][0]["env"] if each["name"] == "STORAGE_URI"]
    broken = [
        (mode == "Standard", "canary outside Standard mode"),
        (uris, "canary without a stable storage uri"),
        (all(names) and len(set(names)) == len(names), "canary names missing or twice"),
        (stable.get("name") not in names, "canary named as the stable one"),
        (sum(each["trafficPercent"] for each in canaries) <= 100, "more than 100 percent"),
        *((not set(each["predictor"]) & {"maxReplicas", "scaleTarget", "scaleMetric"},
           "canary with autoscaling") for each in canaries),
        *((each["predictor"].get("minReplicas", 0) <= stable.get("minReplicas", 1),
           "canary with more replicas than the stable one") for each in canaries),
    ]  # fmt: skip
    return [rule for holds, rule in broken if canaries and not holds]


def storage_container(template: Body, containers: list[Body]) -> Body | None:
    """Return the ClusterStorageContainer that a pod gets: the named one, or the first that fits.

    Raises:
        LookupError: If the named one is not there.
    """
    (uri,) = (each["value"] for each in template["containers"][0]["env"]
              if each["name"] == "STORAGE_URI")  # fmt: skip
    by_name = {each["metadata"]["name"]: each for each in containers}
    if name := template.get("storageContainerName"):
        if name not in by_name:
            raise LookupError(f'ClusterStorageContainer "{name}" not found')
        return by_name[name]
    fitting = (
        by_name[name] for name in sorted(by_name)
        if any(uri.startswith(form.get("prefix", "?"))
               for form in by_name[name]["spec"]["supportedUriFormats"])
    )  # fmt: skip
    return next(fitting, None)


def refusal(pod: str, container: Body | None) -> str | None:
    """Return what Pod Security `restricted` says of a pod's storage initializer, or None.

    It has the security context of its ClusterStorageContainer, not of the server beside it.
    """
    context = (container or {}).get("spec", {}).get("container", {}).get("securityContext") or {}
    who = f'container "{INITIALIZER}" must set securityContext'
    lacking = [
        (context.get("allowPrivilegeEscalation") is False,
         f"allowPrivilegeEscalation != false ({who}.allowPrivilegeEscalation=false)"),
        ("ALL" in (context.get("capabilities") or {}).get("drop", ()),
         f'unrestricted capabilities ({who}.capabilities.drop=["ALL"])'),
        (context.get("runAsNonRoot") is True,
         f"runAsNonRoot != true (pod or {who}.runAsNonRoot=true)"),
        ((context.get("seccompProfile") or {}).get("type") in ("RuntimeDefault", "Localhost"),
         f"seccompProfile (pod or {who}.seccompProfile.type)"),
    ]  # fmt: skip
    words = [sentence for holds, sentence in lacking if not holds]
    if not words:
        return None
    return (
        f'pods "{pod}" is forbidden: violates PodSecurity "restricted:latest": {", ".join(words)}'
    )
