"""Render a compiled pipeline as text for review: parameters, graph, and the grants of each task."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.policy.compiled import Body, Compiled, Task

# Grants of `kfp.kubernetes`, and the field with the name of each.
GIVEN = {
    "configMapAsEnv": "configMapName",
    "secretAsEnv": "secretName",
    "secretAsVolume": "mountPath",
    "configMapAsVolume": "mountPath",
    "emptyDirMounts": "mountPath",
    "pvcMount": "mountPath",
}


def story(file: Path) -> str:
    """Return a compiled pipeline as text: parameters, graph, and the grants of each task.

    Args:
        file: YAML file that `compile.py` wrote.

    Raises:
        UserError: If it is something else.
    """
    compiled = Compiled.read(file)
    inputs = compiled.spec["root"].get("inputDefinitions", {}).get("parameters", {})
    parameters = (_parameter(name, schema) for name, schema in sorted(inputs.items()))
    lines = [
        compiled.spec["pipelineInfo"]["name"],
        compiled.spec["pipelineInfo"].get("description", ""),
        "",
        *parameters,
        "",
        *_graph(compiled, compiled.root),
        "",
        *(f"{task.path}: {_task(task)}" for task in compiled.tasks),
    ]
    return "\n".join(lines) + "\n"


def _parameter(name: str, schema: Body) -> str:
    known = ", ".join(f"{value:g}" if isinstance(value, float) else value
                      for value in schema.get("literals", ()))  # fmt: skip
    return f"{name} = {schema.get('defaultValue')!r}" + (f" of {known}" if known else "")


def _graph(compiled: Compiled, tasks: Mapping[str, Body], indent: str = "") -> Iterator[str]:
    for name, task in sorted(tasks.items()):
        after = ", ".join(sorted(task.get("dependentTasks", []))) or "nothing"
        policy = task.get("triggerPolicy", {})
        when = f" if {policy['condition']}" if "condition" in policy else ""
        always = " always" if policy.get("strategy") else ""
        yield f"{indent}{name}{always} after {after}{when}"
        component = compiled.component(task)
        if "dag" in component:
            yield from _graph(compiled, component["dag"]["tasks"], indent + "    ")


def _span(resources: Body, what: str) -> str:
    """Return the request, and the limit if that is another amount."""
    asked, most = (resources.get(f"resource{what}{end}", "") for end in ("Request", "Limit"))
    return asked if asked == most else f"{asked} to {most}"


def _task(task: Task) -> str:
    image = task.container.get("image", "").rpartition("/")[2].partition(":")[0].partition("@")[0]
    limits = task.container.get("resources", {})
    cached = bool(task.described.get("cachingOptions", {}).get("enableCache"))
    facts: dict[str, Any] = {
        "image": image,
        "cpu": _span(limits, "Cpu"),
        "memory": _span(limits, "Memory"),
        "accelerator": limits.get("accelerator"),
        "seconds": task.placed.get("activeDeadlineSeconds"),
        "retries": task.described.get("retryPolicy", {}).get("maxRetryCount", 0),
        "cached": cached or None,
    }
    for kind, key in GIVEN.items():
        facts[kind] = " ".join(sorted({one[key] for one in task.placed.get(kind, ())}))
    return ", ".join(f"{name} {value}" for name, value in facts.items() if value not in (None, ""))
