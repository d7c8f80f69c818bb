"""Container tasks of a run: name, state, attempts and times, one for each box of the dashboard."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kfp.client import Client

from components.shared.kubeflow.client import host_errors, url_of
from components.shared.kubeflow.nodes import Node

DRIVER, EXECUTOR = "-driver", ".executor"
STARTING = {"", "ContainerCreating", "PodInitializing"}  # reasons of a pod that is starting


class ContainerTask(NamedTuple):
    """One task that runs a container.

    Attributes:
        name: Its title in the dashboard.
        key: Its name in the pipeline's specification.
        state: A v2beta1 runtime state.
        attempts: The nodes of its pods, in order; of its driver's pod if that failed or waits.
        begin: When it began, or None.
        end: When it ended, or None.
    """

    name: str
    key: str
    state: str
    attempts: tuple[Node, ...]
    begin: datetime | None = None
    end: datetime | None = None

    @property
    def message(self) -> str:
        """Argo's message about its last pod."""
        return self.attempts[-1].message if self.attempts else ""

    @property
    def waits_for(self) -> str:
        """Argo's reason why its pod is pending; empty if there is none."""
        return self.message if self.state == "PENDING" and self.message not in STARTING else ""


def container_tasks(nodes: Mapping[str, Node], titles: Mapping[str, str]) -> list[ContainerTask]:
    """Return the container tasks of a run that have begun, in that order.

    Args:
        nodes: All nodes of the run by their names.
        titles: Titles of tasks in the dashboard, by their keys.
    """
    return sorted(
        _tasks(nodes, titles), key=lambda task: task.begin or datetime.max.replace(tzinfo=UTC)
    )


def failed(tasks: list[ContainerTask]) -> list[ContainerTask]:
    """Return the tasks that failed, the first to end first."""
    last = datetime.max.replace(tzinfo=UTC)
    return sorted((it for it in tasks if it.state == "FAILED"), key=lambda it: it.end or last)


def titles_of(client: Client, run: Any) -> dict[str, str]:
    """Return the dashboard titles of a run's tasks, by their keys in its pipeline.

    Args:
        client: Client of the host.
        run: The run, as the API returned it.

    Raises:
        HostError: If the host does not answer.
    """
    spec, reference = run.pipeline_spec, run.pipeline_version_reference
    if not spec and reference:
        with host_errors(url_of(client)):
            spec = client.get_pipeline_version(
                reference.pipeline_id, reference.pipeline_version_id
            ).pipeline_spec
    return titles_in(spec or {})


def titles_in(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the dashboard titles of tasks, by their keys in a compiled pipeline.

    >>> titles_in({"root": {"dag": {"tasks": {"train-2": {"taskInfo": {"name": "train"}}}}}})
    {'train-2': 'train'}
    """
    spec = spec.get("pipeline_spec", spec)  # the other document is Kubernetes' own
    components = [spec.get("root", {}), *spec.get("components", {}).values()]
    return {
        key: task.get("taskInfo", {}).get("name", key)
        for component in components
        for key, task in component.get("dag", {}).get("tasks", {}).items()
    }


def _tasks(nodes: Mapping[str, Node], titles: Mapping[str, str]) -> Iterator[ContainerTask]:
    for name, node in nodes.items():
        if executor := nodes.get(f"{name}{EXECUTOR}"):
            yield _task(node, _attempts(nodes, executor), titles)
        elif name.endswith(DRIVER) and node.state in ("FAILED", "PENDING"):
            yield _task(node, (node,), titles)


def _task(node: Node, attempts: tuple[Node, ...], titles: Mapping[str, str]) -> ContainerTask:
    key = node.name.rpartition(".")[2].removesuffix(DRIVER)
    waits = attempts and attempts[-1].state == "PENDING"
    repeated = re.findall(r"\((\d+)[:)]", node.name)
    title = " ".join([titles.get(key, key), *(str(int(number) + 1) for number in repeated)])
    state = "PENDING" if waits and node.state in ("RUNNING", "PENDING") else node.state
    return ContainerTask(title, key, state, attempts, node.begin, node.end)


def _attempts(nodes: Mapping[str, Node], executor: Node) -> tuple[Node, ...]:
    tried: list[Node] = []
    while node := nodes.get(f"{executor.name}({len(tried)})"):
        tried.append(node)
    return tuple(tried) or (executor,)
