"""Argo workflow nodes of a run, by name, from the Kubeflow Pipelines API.

The API of Pipelines 2.17 lists every Argo node of a run as a task detail: drivers, executors and
their attempts, without the node's own id, but with the ids of its children. Argo makes an id from
the name of the workflow and the FNV-1a hash of the node's name, so that names and ids follow from
display names and children. The older interface, v1beta1, returns the workflow itself, which says
as well why a pod waits and how it ended; where a server has no such interface, or keeps no
workflow, the task details must do.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from kfp.client import Client

from components.shared.kubeflow.client import HostError, get

FNV_OFFSET, FNV_PRIME = 0x811C9DC5, 0x01000193  # of the hash FNV-1a, 32 bits
STATES = {
    "Pending": "PENDING",
    "Running": "RUNNING",
    "Succeeded": "SUCCEEDED",
    "Failed": "FAILED",
    "Error": "FAILED",
    "Skipped": "SKIPPED",
    "Omitted": "SKIPPED",
}  # a v2beta1 runtime state by Argo's phase


class Node(NamedTuple):
    """One node of a workflow.

    Attributes:
        name: Path from the workflow's name on: `x-1.root.train-detector.executor(0)`.
        state: A v2beta1 runtime state; empty if it is not known.
        message: Argo's message, such as `OOMKilled (exit code 137)`; empty if there is none.
        template: Name of the Argo template; empty if it is not known.
        begin: When it began, or None.
        end: When it ended, or None.
    """

    name: str
    state: str
    message: str = ""
    template: str = ""
    begin: datetime | None = None
    end: datetime | None = None

    @property
    def pods(self) -> tuple[str, ...]:
        """The possible names of its pod, the likelier first."""
        workflow = self.name.partition(".")[0]
        retried = "retry-" if self.name.endswith(")") else ""
        template = self.template or f"{retried}system-container-impl"
        id_ = node_id(workflow, self.name)
        return f"{workflow}-{template}-{id_.rpartition('-')[2]}", id_


def node_id(workflow: str, name: str) -> str:
    """Return the id that Argo gives a node.

    Args:
        workflow: The workflow's name.
        name: The node's name; the first node has the workflow's own.

    >>> node_id("hello-7", "hello-7.root")
    'hello-7-4123441503'
    """
    if name == workflow:
        return name
    value = FNV_OFFSET
    for byte in name.encode():
        value = (value ^ byte) * FNV_PRIME & 0xFFFFFFFF
    return f"{workflow}-{value}"


def nodes_of(client: Client, run: Any) -> dict[str, Node]:
    """Return the nodes of a run by their names.

    Args:
        client: Client of the host.
        run: The run, as the API just returned it.
    """
    if workflow := _workflow(client, str(run.run_id)):
        return from_workflow(workflow)
    details = run.run_details.task_details if run.run_details else None
    return from_details(details or [])


def from_workflow(workflow: Mapping[str, Any]) -> dict[str, Node]:
    """Return the nodes of an Argo workflow by their names."""
    found = (workflow.get("status") or {}).get("nodes") or {}
    return {
        one["name"]: Node(
            one["name"],
            STATES.get(one.get("phase", ""), ""),
            " ".join(one.get("message", "").split()),
            one.get("templateName", ""),
            _time(one.get("startedAt")),
            _time(one.get("finishedAt")),
        )
        for one in found.values()
    }


def from_details(details: Iterable[Any]) -> dict[str, Node]:
    """Return the nodes of a run by their names, from its task details."""
    by_display = defaultdict(list)
    for one in details:
        by_display[str(one.display_name)].append(one)
    ids = {id_ for some in by_display.values() for one in some for id_ in _children(one)}
    if not ids:
        return {}
    workflow = next(iter(ids)).rpartition("-")[0]
    names = _names(workflow, list(by_display), ids)
    return {
        name: _node(name, by_display[display], names)
        for name, display in [(workflow, workflow), *names.values()]
    }


def _names(workflow: str, displays: list[str], ids: set[str]) -> dict[str, tuple[str, str]]:
    """Return the name and display name of each node by its id."""
    found: dict[str, tuple[str, str]] = {}
    boundaries = [workflow]
    for boundary in boundaries:  # which grows meanwhile
        for display in displays:
            name = f"{boundary}.{display}"
            id_ = node_id(workflow, name)
            if id_ in ids and id_ not in found:
                found[id_] = name, display
                boundaries.append(name)
    return found


def _node(name: str, details: list[Any], names: Mapping[str, tuple[str, str]]) -> Node:
    """Return a node with the state of its task detail, if one can be matched."""
    children = [[names.get(id_, ("",))[0] for id_ in _children(one)] for one in details]
    own = [
        one
        for one, its in zip(details, children, strict=True)
        if len(details) == 1 or any(_is_below(name, child) for child in its)
    ]
    if len(own) != 1:
        return Node(name, "")
    (one,) = own
    return Node(name, str(one.state or "SKIPPED"), "", "", one.start_time, one.end_time)


def _is_below(name: str, child: str) -> bool:
    """Return whether a child is inside a node, is an attempt of it, or follows it as its driver."""
    return child.startswith((f"{name}.", f"{name}(")) or f"{child}-driver" == name


def _children(detail: Any) -> list[str]:
    return [str(child.pod_name) for child in detail.child_tasks or [] if child.pod_name]


def _workflow(client: Client, run_id: str) -> dict[str, Any]:
    """Return the Argo workflow of a run; empty if the host does not return it."""
    try:
        answer = get(client, f"/apis/v1beta1/runs/{run_id}")
    except HostError:
        return {}
    try:
        manifest = json.loads(answer["pipeline_runtime"]["workflow_manifest"])
    except (KeyError, TypeError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
