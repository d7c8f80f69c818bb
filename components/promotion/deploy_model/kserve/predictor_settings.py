"""Settings of the pods that serve (DETECTOR_PREDICTOR): mode, replicas, resources, keys."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from components.promotion.deploy_model.kserve import stream as kafka
from components.shared.cluster.settings import read_settings
from components.shared.contracts.errors import UserError
from components.shared.contracts.record import Record

Mode = Literal["Standard", "Knative"]


class PredictorSettings(Record):
    """Settings of the pods that serve, from DETECTOR_PREDICTOR as YAML."""

    image: str = Field(description="of our server (`serving`); unused by Triton")
    mode: Mode = "Standard"
    min_replicas: int = Field(default=1, ge=0)
    max_replicas: int = Field(default=3, ge=1)
    scale_metric: Literal["cpu", "memory", "concurrency", "rps"] | None = None
    scale_target: int | None = Field(default=None, ge=1, description="per pod, of the metric")
    requests: Mapping[str, str] = Field(default={"cpu": "1", "memory": "1Gi"})
    limits: Mapping[str, str] = Field(default={"cpu": "2", "memory": "2Gi"})
    timeout_seconds: int = Field(default=60, ge=1)
    service_account: str = "car-serving"
    storage_secret: str | None = Field(
        default=None, description="keys of the object store; otherwise the service account's"
    )
    storage_container: str | None = Field(
        default=None, description="ClusterStorageContainer that downloads; else KServe chooses one"
    )
    public_key: str | None = Field(
        default=None, description="config map with public.pem; then unsigned packages are refused"
    )
    node_selector: Mapping[str, str] = Field(default={})
    tolerations: tuple[Mapping[str, str], ...] = ()
    priority_class: str | None = None
    unsigned: bool = Field(
        default=False, description="serve unsigned packages; without it, or a public_key,"
        " nothing is deployed",
    )  # fmt: skip
    visibility: Literal["external", "cluster-local"] = Field(
        default="cluster-local",
        description="external: whoever reaches the ingress may ask; Standard mode needs it, since "
        "KServe splits requests by routes of the ingress alone",
    )
    kserve_namespace: str = Field(default="kserve", description="where KServe is configured")
    stream: kafka.StreamAccess = kafka.StreamAccess()

    @classmethod
    def parse(cls, text: str) -> "PredictorSettings":
        """Read YAML.

        Raises:
            UserError: With the field that is not valid, or if it is not set whether packages must
                be signed.
        """
        settings = read_settings(cls, "DETECTOR_PREDICTOR", text)
        if bool(settings.public_key) == settings.unsigned:
            found = "both" if settings.unsigned else "neither"
            raise UserError(
                f"DETECTOR_PREDICTOR has {found} of public_key and unsigned: set public_key to the "
                "config map with public.pem, or unsigned to true to serve unsigned packages"
            )
        return settings
