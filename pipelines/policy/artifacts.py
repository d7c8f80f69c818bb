"""Trace the artifact inputs of each task to their producers, and find those taken twice.

The metadata store of Kubeflow Pipelines keeps one event for each artifact of a task: a task
that takes the same artifact by two inputs never starts, and its run fails with "no execution
found". A group of tasks counts as a task there.
"""

from collections.abc import Iterator, Mapping

from pipelines.policy.compiled import Body, Compiled

Origins = Mapping[str, str]


def taken_twice(pipeline: Compiled) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each task or group that takes an artifact by several inputs.

    Args:
        pipeline: One compiled pipeline.

    Yields:
        The path of the task, the artifact as `producer.output`, and the names of the inputs.
    """
    yield from _of_graph(pipeline, pipeline.root, {}, "")


def _of_graph(
    pipeline: Compiled, tasks: Mapping[str, Body], given: Origins, path: str
) -> Iterator[tuple[str, str, list[str]]]:
    for key, task in sorted(tasks.items()):
        here = f"{path}{task.get('taskInfo', {}).get('name', key)}"
        origins = {
            name: _origin(pipeline, tasks, given, path, source)
            for name, source in task.get("inputs", {}).get("artifacts", {}).items()
        }
        for origin in sorted(set(origins.values())):
            names = sorted(name for name, its in origins.items() if its == origin)
            if len(names) > 1:
                yield here, origin.rpartition("/")[2], names
        component = pipeline.component(task)
        yield from _of_graph(
            pipeline, component.get("dag", {}).get("tasks", {}), origins, f"{here}/"
        )


def _origin(
    pipeline: Compiled, tasks: Mapping[str, Body], given: Origins, path: str, source: Body
) -> str:
    """Return the task that made an artifact, and its output, as `path/of/task.output`."""
    if name := source.get("componentInputArtifact"):
        return given.get(name, f"{path}{name}")
    made = source.get("taskOutputArtifact", {})
    task, output = str(made.get("producerTask", "")), str(made.get("outputArtifactKey", ""))
    dag = pipeline.component(tasks.get(task, {})).get("dag", {})
    handed = dag.get("outputs", {}).get("artifacts", {}).get(output, {})
    if not (selectors := handed.get("artifactSelectors")):
        return f"{path}{task}.{output}"
    inner = {  # the task inside a group that made it; of several branches the first
        "taskOutputArtifact": {
            "producerTask": selectors[0]["producerSubtask"],
            "outputArtifactKey": selectors[0]["outputArtifactKey"],
        }
    }
    return _origin(pipeline, dag.get("tasks", {}), {}, f"{path}{task}/", inner)
