"""The collaborators that waits, shares and changes of one KServe target have in common."""

from dataclasses import dataclass

from components.promotion.deploy_model.kserve.canary import Canary
from components.promotion.deploy_model.kserve.inference_service import InferenceService
from components.promotion.deploy_model.kserve.own_server import OwnServer
from components.promotion.deploy_model.kserve.plans import Plans
from components.promotion.deploy_model.kserve.predictor_settings import Mode
from components.promotion.deploy_model.kserve.reach import Reach
from components.shared.cluster.client import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What belongs to one InferenceService.

    Attributes:
        cluster: Where it lives.
        service: The object.
        plans: Who is who in it.
        canary: KServe's way.
        reach: The ways to its pods.
        server: Releases the packages that its predictors serve.
        mode: How KServe should run it.
    """

    cluster: Cluster
    service: InferenceService
    plans: Plans
    canary: Canary
    reach: Reach
    server: OwnServer
    mode: Mode
