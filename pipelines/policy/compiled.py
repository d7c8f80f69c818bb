"""Parse a compiled pipeline into its tasks, at any depth, with container and Kubernetes options."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec.pipeline_spec_pb2 import (
    PipelineDeploymentConfig,
    PipelineSpec,
    PlatformSpec,
)

from components.shared.contracts.errors import UserError

Body = Mapping[str, Any]


def job_of(args: Iterable[object]) -> str:
    """Return the component function that KFP's entry point is told to run; empty if none is.

    >>> job_of(["--executor_input", "{}", "--function_to_execute", "judge_model"])
    'judge_model'
    """
    words = [str(word) for word in args]
    option = "--function_to_execute"
    return words[words.index(option) + 1] if option in words[:-1] else ""


@dataclass(frozen=True, slots=True)
class Task:
    """One task that runs a container, at any depth of the graph.

    Attributes:
        path: Its path in the dashboard, from the outermost group inwards.
        described: Its entry in the graph: caching, retries, inputs.
        container: The container of its executor; empty if that is no container.
        placed: Options of `kfp.kubernetes` for the executor.
    """

    path: str
    described: Body
    container: Body
    placed: Body

    @property
    def job(self) -> str:
        """Name of the component's function, from the arguments of KFP's entry point."""
        return job_of(self.container.get("args", ()))


@dataclass(frozen=True, slots=True)
class Compiled:
    """One compiled pipeline.

    Attributes:
        name: Name of the pipeline.
        spec: Pipeline specification, the first YAML document.
        platform: Kubernetes specification, the second YAML document; empty if there is none.
    """

    name: str
    spec: Body
    platform: Body

    @classmethod
    def read(cls, file: Path) -> "Compiled":
        """Read a file that `compile.py` wrote.

        Raises:
            UserError: If it is something else.
        """
        try:
            documents = list(yaml.safe_load_all(file.read_text()))
        except (yaml.YAMLError, UnicodeDecodeError) as cause:
            raise UserError(f"{file} is no YAML: {' '.join(str(cause).split())[:200]}") from cause
        return cls.of(str(file), documents)

    @classmethod
    def of(cls, name: str, documents: list[Any]) -> "Compiled":
        """Return the pipeline of the parsed documents of a file.

        Args:
            name: Name of the pipeline.
            documents: The YAML documents.

        Raises:
            UserError: If they are no compiled pipeline.
        """
        spec = documents[0] if documents else None
        if not isinstance(spec, dict) or not spec.keys() >= {"pipelineInfo", "root"}:
            raise UserError(f"{name} is no compiled pipeline, expected pipelineInfo and root in it")
        if len(documents) != 2:
            raise UserError(
                f"{name} has {len(documents)} documents, expected 2: the pipeline, and what "
                "concerns Kubernetes alone"
            )
        try:
            return cls(name, _pipeline(spec), _platform(documents[1]))
        except (ParseError, TypeError) as cause:  # the latter of what is no mapping at all
            raise UserError(
                f"{name} is no compiled pipeline: {' '.join(str(cause).split())}"
            ) from cause

    @property
    def root(self) -> Mapping[str, Body]:
        """The tasks of the outermost graph by their keys."""
        tasks: Mapping[str, Body] = self.spec["root"].get("dag", {}).get("tasks", {})
        return tasks

    @property
    def tasks(self) -> list[Task]:
        """All tasks that run a container, in the root and in all groups."""
        return list(self._below(self.root, ""))

    def component(self, task: Body) -> Body:
        """Return the component of a task of any graph."""
        name = task.get("componentRef", {}).get("name", "")
        found: Body = self.spec.get("components", {}).get(name, {})
        return found

    def _below(self, tasks: Mapping[str, Body], path: str) -> Iterator[Task]:
        for key, task in sorted(tasks.items()):
            here = f"{path}{task.get('taskInfo', {}).get('name', key)}"
            component = self.component(task)
            if "dag" in component:
                yield from self._below(component["dag"].get("tasks", {}), f"{here}/")
            else:
                yield self._task(here, task, component.get("executorLabel", ""))

    def _task(self, path: str, task: Body, label: str) -> Task:
        executors = self.spec.get("deploymentSpec", {}).get("executors", {})
        kubernetes = self.platform.get("platforms", {}).get("kubernetes", {})
        placed = kubernetes.get("deploymentSpec", {}).get("executors", {})
        container = executors.get(label, {}).get("container", {})
        return Task(path, task, container, placed.get(label, {}))


def _pipeline(spec: Body) -> Body:
    """Return the first document as Kubeflow's own schema parses it, whatever its spelling."""
    read = _as(PipelineSpec(), spec)
    return {
        **read,
        "deploymentSpec": _as(PipelineDeploymentConfig(), read.get("deploymentSpec", {})),
    }


def _platform(document: Any) -> Body:
    read = _as(PlatformSpec(), document)
    for platform in read.get("platforms", {}).values():
        executors = platform.get("deploymentSpec", {}).get("executors", {})
        executors.update(
            (label, _as(KubernetesExecutorConfig(), config)) for label, config in executors.items()
        )
    return read


def _as(kind: Message, document: Any) -> dict[str, Any]:
    read: dict[str, Any] = MessageToDict(ParseDict(document, kind))
    return read
