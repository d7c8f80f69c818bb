"""Find the training operator and the trainer that run in a cluster, or let the stand-in run."""

from contextlib import AbstractContextManager, nullcontext
from types import ModuleType

from kubernetes import client

from components.training.train_detector.launchers import tfjob, trainjob
from tests.standins.training_operator import TrainingOperator

DEPLOYMENTS = {
    "training-operator": tfjob.KIND.plural,
    "kubeflow-trainer-controller-manager": trainjob.KIND.plural,
}


def running_controllers(api: client.ApiClient) -> dict[str, str]:
    """Return the image of every controller with a ready pod, by the plural of its jobs."""
    deployments = client.AppsV1Api(api).list_deployment_for_all_namespaces().items
    return {
        DEPLOYMENTS[one.metadata.name]: one.spec.template.spec.containers[0].image
        for one in deployments
        if one.metadata.name in DEPLOYMENTS and one.status.ready_replicas
    }


def controller_of(
    kind: ModuleType, api: client.ApiClient, namespace: str, running: dict[str, str]
) -> AbstractContextManager[object]:
    """Return what looks after a kind of job while it is entered: nothing if one runs already."""
    plural = kind.KIND.plural
    print(f"{plural}: {running.get(plural, 'the stand-in')} is the controller", flush=True)
    if plural in running:
        return nullcontext()
    return TrainingOperator(api, namespace, kinds=(plural,))
