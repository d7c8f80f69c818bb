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
    """Collaborators around one InferenceService.

    Attributes:
        cluster: The cluster.
        service: The InferenceService.
        plans: Changes of the object.
        canary: Canary implementation of the mode.
        reach: Addresses, pods and metrics.
        server: Writes releases and predictors.
        mode: Deployment mode of KServe.
    """

    cluster: Cluster
    service: InferenceService
    plans: Plans
    canary: Canary
    reach: Reach
    server: OwnServer
    mode: Mode
