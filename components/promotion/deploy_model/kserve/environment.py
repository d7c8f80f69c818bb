"""Build the KServe rollout target from environment variables."""

import tempfile
from collections.abc import Mapping

from components.promotion.deploy_model.kserve.own_server import OwnServer
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.target import KServeTarget
from components.promotion.deploy_model.kserve.triton import Triton
from components.promotion.deploy_model.target import Target
from components.shared.cluster.client import Cluster
from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import RolloutPolicy
from components.shared.inference.package_store import PackageStore
from components.shared.store.objects import Objects

ACCOUNT = "car-deployer"


def kserve_target(environment: Mapping[str, str], policy: RolloutPolicy) -> Target:
    """Return the InferenceService that the environment describes.

    Args:
        environment: DETECTOR_TARGET is `kserve` or `triton`; DETECTOR_SERVICE,
            DETECTOR_PREDICTOR (`PredictorSettings` as YAML) and OBJECT_STORE_URL.
        policy: Gives the timeouts.

    Raises:
        UserError: If the settings do not fit, or there is no cluster.
    """
    settings = PredictorSettings.parse(environment.get("DETECTOR_PREDICTOR", ""))
    url = environment["OBJECT_STORE_URL"]
    if url.startswith("file:"):
        raise UserError(
            f"OBJECT_STORE_URL is {url}, expected one that pods can reach, such as s3://"
        )
    kind = Triton if environment["DETECTOR_TARGET"] == "triton" else OwnServer
    server = kind(Objects(url), settings, PackageStore(tempfile.mkdtemp(prefix="packages-")))
    name = environment.get("DETECTOR_SERVICE") or "car-detector"
    return KServeTarget(
        Cluster.connect(ACCOUNT), name, server, settings, policy.max_ready_s, policy.max_turn_s
    )
