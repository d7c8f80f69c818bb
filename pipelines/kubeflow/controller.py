"""Read the retry policy of the Argo workflow controller from its config map.

Pipelines 2.17 is installed with `retryPolicy: OnError` among the controller's defaults, which
is merged into what a pipeline says of its retries: a task that exits by itself, runs out of
memory or is evicted is then not tried again, whatever count the pipeline asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from components.shared.cluster.client import Cluster, ClusterError

CONFIG_MAP = "workflow-controller-configmap"
NAMESPACE = "kubeflow"  # of Kubeflow Pipelines
ARGO = "OnFailure"  # what Argo Workflows does where nothing is said
WANTED = "Always"
WHERE = (
    f"expected retryPolicy {WANTED} at spec.templateDefaults.retryStrategy of its "
    "workflowDefaults (manifests/README.md, Before)"
)
LACKS = {
    "OnError": "a task that fails, runs out of memory or is evicted ends its run",
    "OnFailure": "a task whose pod is deleted or whose node is lost ends its run",
    "OnTransientError": "a task that fails, runs out of memory or is evicted ends its run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Retry policy of the workflow controller.

    Attributes:
        name: Argo's name of the policy; empty if it could not be read.
        sentence: Effect on runs, or why it could not be read.
    """

    name: str
    sentence: str

    @property
    def is_right(self) -> bool:
        """Whether every task that fails is tried again."""
        return self.name == WANTED


def retry_policy(namespace: str = NAMESPACE) -> RetryPolicy:
    """Return the retry policy of the cluster that KUBECONFIG names, or in which this runs.

    Args:
        namespace: Namespace of Kubeflow Pipelines.
    """
    try:
        found = Cluster.connect("car-trigger").config_map(namespace, CONFIG_MAP)
    except ClusterError as error:
        return _unknown(str(error))
    if found is None:
        return _unknown(
            f"the config map {CONFIG_MAP} in {namespace} does not exist, or cannot be read"
        )
    try:
        return policy_in(found)
    except yaml.YAMLError as cause:
        return _unknown(f"{CONFIG_MAP} is no YAML: {' '.join(str(cause).split())[:200]}")


def policy_in(config: Mapping[str, str]) -> RetryPolicy:
    """Return the retry policy in a controller's config map.

    Args:
        config: Its data: a key for each setting, or all of them as YAML under `config`.

    >>> policy_in({"workflowDefaults": "spec: {templateDefaults: {retryStrategy: {}}}"}).name
    'OnFailure'
    """
    found: Any = yaml.safe_load(config.get("config", "")) or {}
    if own := yaml.safe_load(config.get("workflowDefaults", "")):
        found = {"workflowDefaults": own}
    for key in ("workflowDefaults", "spec", "templateDefaults", "retryStrategy", "retryPolicy"):
        found = (found.get(key) if isinstance(found, Mapping) else None) or {}
    name = str(found or ARGO)
    if name == WANTED:
        return RetryPolicy(name=name, sentence="the workflow controller tries every task again")
    lacks = LACKS.get(name, "tasks that fail may end their run")
    return RetryPolicy(
        name=name, sentence=f"the workflow controller's retryPolicy is {name}: {lacks}; {WHERE}"
    )


def _unknown(why: str) -> RetryPolicy:
    sentence = f"the workflow controller's retryPolicy could not be checked: {why}; {WHERE}"
    return RetryPolicy(name="", sentence=sentence)
