"""A stand-in for what Argo and Kubeflow's compiler make of a run: nodes, pods and their logs.

Nothing runs in it: a test says how each task ends. Which nodes there are, how they are called and
hang together, and what their pods print, follows a run of Pipelines 2.16 that was published with
its workflow, and one of 2.17.0.
"""

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

Body = dict[str, Any]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STATES = {
    "Pending": "PENDING", "Running": "RUNNING", "Succeeded": "SUCCEEDED", "Failed": "FAILED",
    "Skipped": "SKIPPED",
}  # Omitted has none  # fmt: skip
NO_EXECUTION = (
    "F1005 08:11:32.000000      24 main.go:79] failed to execute component: "
    "no execution found for task with name='' in the metadata store\n"
)


class Ends(NamedTuple):
    """How a task ends: Argo's phase, what it prints, what Argo says of its pod, how often."""

    phase: str = "Succeeded"
    log: str = ""
    message: str = ""
    failed_attempts: int = 0
    driver: str = "Succeeded"


class Workflow:
    """The workflow of one run.

    Args:
        name: The workflow's, which begins the names of its pods.
        spec: The compiled pipeline.
        ends: How tasks end, by their keys in it; the others succeed at once.
    """

    def __init__(self, name: str, spec: Body, ends: dict[str, Ends]) -> None:
        self.name, self.spec, self.ends = name, spec, ends
        self.nodes: dict[str, Body] = {}
        self.logs: dict[str, str] = {}  # by pod
        self._second = 0
        root = self._node(name, name, "DAG", "Running", "entrypoint")
        driver = self._pod(f"{name}.root-driver", "root-driver", "Succeeded", "system-dag-driver")
        inner = self._node(f"{name}.root", "root", "DAG", "Running", "root")
        self._link(root, driver)
        self._link(driver, inner)
        inner["phase"] = root["phase"] = self._dag(inner, spec["root"]["dag"]["tasks"])

    @property
    def manifest(self) -> str:
        """The workflow, as the older interface of the API returns it."""
        status = {"phase": self.nodes[self.name]["phase"], "nodes": self._by_id()}
        return json.dumps({"metadata": {"name": self.name}, "status": status})

    def task_details(self, run: str) -> list[Body]:
        """One detail a node, without its own id, and with its children's ids as names of pods."""
        return [self._detail(run, node) for _, node in sorted(self._by_id().items())]

    def final_status(self, *, canceling: bool = False, handler: str = "exit-handler-1") -> Body:
        """Return what the last task is told of the others, which the metadata store knows."""
        skipped = any(node["phase"] == "Skipped" for node in self.nodes.values())
        phase = self.nodes[f"{self.name}.root.{handler}"]["phase"]
        known = {"Succeeded": "COMPLETE", "Failed": "FAILED"}.get(phase, "RUNNING")
        state = "RUNNING" if canceling or (skipped and known == "COMPLETE") else known
        return {"state": state, "pipelineTaskName": handler, "error": {},
                "pipelineJobResourceName": self.name}  # fmt: skip

    def pod(self, name: str) -> str:
        """The name of a node's pod: the name of its template stands in it."""
        number = identity(self.name, name).rpartition("-")[2]
        return f"{self.name}-{self.nodes[name]['templateName']}-{number}"

    def _by_id(self) -> dict[str, Body]:
        return {node["id"]: node for node in self.nodes.values()}

    def _detail(self, run: str, node: Body) -> Body:
        state = STATES.get(node["phase"])
        told = {"run_id": run, "task_id": f"task-{node['id']}", "display_name": node["displayName"]}
        times = {"start_time": node["startedAt"], "create_time": BEGIN.isoformat()}
        if node["finishedAt"]:
            times["end_time"] = node["finishedAt"]
        children = [{"pod_name": id_} for id_ in node["children"]]
        past = [{"update_time": node["startedAt"]} | ({"state": state} if state else {})]
        more = {"state_history": past} | ({"child_tasks": children} if children else {})
        return told | times | more | ({"state": state} if state else {})

    def _dag(self, boundary: Body, tasks: Body) -> str:
        """Make the nodes of a graph and return its phase."""
        hooks = {
            key for key, task in tasks.items() if task.get("triggerPolicy", {}).get("strategy")
        }
        done: dict[str, str] = {}
        todo = [key for key in tasks if key not in hooks]
        while todo:
            key = next(it for it in todo if not self._waits_for(tasks[it], todo))
            todo.remove(key)
            before = [done.get(it, "") for it in tasks[key].get("dependentTasks", [])]
            if set(before) <= {"Succeeded", "Skipped"}:
                done[key] = self._task(boundary, key, tasks[key])
            elif set(before) & {"Failed", "Omitted"}:
                done[key] = self._omitted(boundary, key)
        for key in hooks:
            (watched,) = tasks[key]["dependentTasks"]
            done[key] = self._hook(boundary, watched, key, tasks[key])
        return _together(done.values())

    def _waits_for(self, task: Body, todo: list[str]) -> bool:
        return any(it in todo for it in task.get("dependentTasks", []))

    def _task(self, boundary: Body, key: str, task: Body) -> str:
        ends, name = self.ends.get(key, Ends()), f"{boundary['name']}.{key}"
        component = self.spec["components"][task["componentRef"]["name"]]
        kind = "dag" if "dag" in component else "container"
        twice = _artifact_twice(task)
        phase = "Failed" if twice else ends.driver
        driver = self._pod(f"{name}-driver", f"{key}-driver", phase, f"system-{kind}-driver")
        driver["message"] = ends.message if ends.driver != "Succeeded" else ""
        self._log(driver, NO_EXECUTION if twice else ends.log if phase == "Failed" else "")
        self._link(self._last(boundary, task), driver)
        if phase != "Succeeded":
            return self._omitted(boundary, key, driver) if phase == "Failed" else phase
        template = "retry-system-container-executor" if kind == "container" else key
        node = self._node(name, key, "DAG", ends.phase, template)
        self._link(driver, node)
        if ends.phase == "Skipped":
            node["type"] = "Skipped"
        elif kind == "dag":
            node["phase"] = self._dag(node, component["dag"]["tasks"])
        else:
            self._executor(node, task, ends)
        return str(node["phase"])

    def _executor(self, node: Body, task: Body, ends: Ends) -> None:
        node["phase"] = "Running" if ends.phase == "Pending" else ends.phase
        retry = "retry-" if "retryPolicy" in task else ""
        template, name = f"{retry}system-container-impl", f"{node['name']}.executor"
        if retry:
            parent = self._node(name, "executor", "Retry", node["phase"], template)
            self._link(node, parent)
        for number in range(ends.failed_attempts + 1):
            phase = ends.phase if number == ends.failed_attempts else "Failed"
            attempt = f"({number})" if retry else ""
            pod = self._pod(f"{name}{attempt}", f"executor{attempt}", phase, template)
            pod["message"] = ends.message
            self._link(parent if retry else node, pod)
            if phase not in ("Pending", "Skipped"):
                self._log(pod, framed(ends.log, failed=phase == "Failed"))

    def _hook(self, boundary: Body, watched: str, key: str, task: Body) -> str:
        watched_node = self.nodes.get(f"{boundary['name']}.{watched}")
        if watched_node is None or watched_node["phase"] in ("Pending", "Running"):
            return "Running"
        name = f"{watched}.onExit"
        hook = self._node(f"{boundary['name']}.{name}", name, "DAG", "Running", f"exit-hook-{key}")
        self._link(watched_node, hook)
        hook["phase"] = self._task(hook, key, {**task, "dependentTasks": []})
        return str(hook["phase"])

    def _omitted(self, boundary: Body, key: str, driver: Body | None = None) -> str:
        if driver is None:
            name = f"{key}-driver"
            path = f"{boundary['name']}.{name}"
            driver = self._node(path, name, "Skipped", "Omitted", "system-container-driver")
            self._link(self._last(boundary, {}), driver)
        template = "retry-system-container-executor"
        node = self._node(f"{boundary['name']}.{key}", key, "Skipped", "Omitted", template)
        self._link(driver, node)
        return "Failed" if driver["phase"] == "Failed" else "Omitted"

    def _last(self, boundary: Body, task: Body) -> Body:
        """Whatever the next task hangs on: the leaf of one before it, else its graph."""
        for before in task.get("dependentTasks", []):
            prefix = f"{boundary['name']}.{before}"
            leaves = [it for it in self.nodes.values() if it["name"].startswith(prefix)]
            return next((it for it in leaves if not it["children"]), leaves[-1])
        return boundary

    def _node(self, name: str, display: str, kind: str, phase: str, template: str) -> Body:
        self._second += 10
        begin = BEGIN + timedelta(seconds=self._second)
        over = phase not in ("Pending", "Running")
        self.nodes[name] = {
            "id": identity(self.name, name), "name": name, "displayName": display, "type": kind,
            "phase": phase, "templateName": template, "message": "", "children": [],
            "startedAt": begin.isoformat(),
            "finishedAt": (begin + timedelta(seconds=5)).isoformat() if over else None,
        }  # fmt: skip
        return self.nodes[name]

    def _pod(self, name: str, display: str, phase: str, template: str) -> Body:
        return self._node(name, display, "Pod", phase, template)

    def _link(self, parent: Body, child: Body) -> None:
        parent["children"].append(child["id"])

    def _log(self, node: Body, text: str) -> None:
        self.logs[self.pod(node["name"])] = text


def identity(workflow: str, name: str) -> str:
    """Argo's id of a node: a hash of its name after the workflow's."""
    number = 2166136261
    for character in name.encode():
        number = ((number ^ character) * 16777619) % 2**32
    return workflow if name == workflow else f"{workflow}-{number}"


def framed(text: str, *, failed: bool) -> str:
    """What a pod's main container prints around what the task itself prints."""
    launcher = "I1005 08:10:39.123456      27 launcher_v2.go:193]"
    executor = "[KFP Executor 2026-10-05 08:10:40,000 INFO]:"
    shown = ["{", '    "inputs": {', "    }", "}"]
    lines = [f"{launcher} publish begins", f"{executor} Looking for component `x`",
             f"{executor} Got executor_input:", *shown, text.rstrip()]  # fmt: skip
    if failed:
        lines += ["F1005 08:10:59.000000      27 main.go:79] failed to execute component: exit "
                  "status 1", "Error: exit status 1"]  # fmt: skip
    else:
        lines.append(f"{executor} Wrote executor output file to /tmp/x.")
    stamp = 'time="2026-10-05T08:10:59.000Z" level=info msg="sub-process exited" argo=true'
    return "\n".join([*filter(None, lines), stamp]) + "\n"


def _artifact_twice(task: Body) -> bool:
    """The metadata store takes an artifact once as the input of one execution."""
    taken: dict[str, int] = defaultdict(int)
    for given in task.get("inputs", {}).get("artifacts", {}).values():
        taken[json.dumps(given, sort_keys=True)] += 1
    return any(times > 1 for times in taken.values())


def _together(phases: Any) -> str:
    found = set(phases)
    if found & {"Pending", "Running"}:
        return "Running"
    return "Failed" if found & {"Failed", "Omitted"} else "Succeeded"
