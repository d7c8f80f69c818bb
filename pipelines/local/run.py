"""Run a pipeline or a job in a child process, and follow its tasks through the log."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.shared.contracts.failure import causes
from components.shared.contracts.progress import Line, read_line
from components.shared.store.postgres import connect
from components.shared.store.registry import Registry
from pipelines.graphs import GRAPHS
from pipelines.local.local_stack import LocalStack
from pipelines.local.processes import Child
from pipelines.parameters import checked

COLOUR = re.compile(r"\x1b\[\d+m")
STARTED = re.compile(r"Executing task '([^']+)'")
ENDED = re.compile(r"Task '([^']+)' finished with status (\w+)")
RECORDED = re.compile(r'^\s*"run": "([^"]+)"')
RUNNER = "Pipeline '"  # beginning of the runner's own error, which hides the cause


@dataclass
class LocalTask:
    """One task of a run.

    Attributes:
        name: Name of the task in the compiled pipeline.
        title: Its name in the dashboard.
        started: When it began, in seconds of the monotonic clock.
        seconds: How long it took.
        state: `RUNNING`, or KFP's word for the end: `SUCCESS` or `FAILURE`.
        progress: Its last progress line.
        cause: Its error, in one sentence; empty if there was none.
        process: Id of the process that printed its lines; empty if it is not known.
    """

    name: str
    title: str
    started: float
    seconds: float = 0.0
    state: str = "RUNNING"
    progress: str = ""
    cause: str = ""
    process: str = ""


@dataclass
class LocalRun:
    """One run of a pipeline, or of a single job.

    Attributes:
        name: Name of the pipeline or job.
        folder: Folder of its artifacts, with one folder a task.
        titles: Titles of its tasks in the dashboard, by name.
        steps: Its tasks, in the order in which they began.
        cause: Error of a failed run, in one sentence; empty if it did not fail.
        id: Id under which its outcome is recorded.
    """

    name: str
    folder: Path
    titles: Mapping[str, str] = field(default_factory=dict)
    steps: list[LocalTask] = field(default_factory=list)
    cause: str = ""
    id: str = ""

    @property
    def failed(self) -> bool:
        """Whether the run ended with an error."""
        return bool(self.cause)

    def step(self, name: str) -> LocalTask | None:
        """Return a task by name, or None if it did not run."""
        return next((step for step in self.steps if step.name == name), None)

    def artifact(self, task: str, name: str) -> Path | None:
        """Return the path of one artifact, or None if the task did not write it.

        Args:
            task: Name of the task.
            name: Name of the artifact.
        """
        return next(iter(sorted(self.folder.glob(f"*/{task}/{name}"))), None)


Heard = Callable[[str, str], None]


def run_pipeline(
    stack: LocalStack, name: str, parameters: Mapping[str, Any], heard: Heard
) -> LocalRun:
    """Run a pipeline to its end, in a child process.

    Args:
        stack: The running services.
        name: Name of the pipeline on the command line, such as `train`.
        parameters: Pipeline parameters by name.
        heard: Called with a task's title and a line for each progress line of a task.

    Raises:
        UserError: If a parameter is unknown or has a value that is not allowed.
    """
    taken = checked(name, parameters)
    run = LocalRun(name, _fresh_folder(stack, name), titles_of(name))
    command = [sys.executable, "-m", "pipelines.local.child", name, json.dumps(taken)]
    child = Child(
        f"pipeline {name}", [*command, str(run.folder)], run.folder / "log.txt", stack.env
    )
    code = _follow(stack, child, lambda line: _note(run, line, heard))
    if code:
        run.cause = _cause_of(run) or cause_in(_lines(child)) or _unexplained(run, child, code)
        _record_cause(stack, run)
    return run


def _record_cause(stack: LocalStack, run: LocalRun) -> None:
    """Record the error of a failed run: `kfp.local` tells the exit handler only that it failed."""
    if run.id:
        with closing(connect(stack.env["DATABASE_URL"])) as connection:
            Registry(connection).record_outcome(run.id, run.name, "FAILED", run.cause)


def titles_of(name: str) -> dict[str, str]:
    """Return the dashboard's title of each task of a pipeline, by the task's name.

    >>> titles_of("train")["train-detector-2"]
    'train from scratch'
    """
    spec = GRAPHS[name].pipeline_spec
    dags = [spec.root.dag, *(component.dag for component in spec.components.values())]
    return {key: task.task_info.name for dag in dags for key, task in dag.tasks.items()}


def run_job(stack: LocalStack, name: str, options: Mapping[str, Any], heard: Heard) -> LocalRun:
    """Run one job by its command line, as a run of a single step.

    Args:
        stack: The running services.
        name: Name of the job, such as `simulate_cameras`.
        options: Options of its command line, by parameter name.
        heard: Called with the job's title and a line for each progress line.
    """
    run = LocalRun(name, _fresh_folder(stack, name))
    title = name.replace("_", "-")
    run.steps.append(step := LocalTask(title, title, time.monotonic()))
    words = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    command = [sys.executable, "-m", "components", name, *words]
    child = Child(name, command, run.folder / "log.txt", stack.env)
    code = _follow(stack, child, lambda line: _note(run, line, heard))
    step.seconds = time.monotonic() - step.started
    step.state = "FAILURE" if code else "SUCCESS"
    if code:
        last = [line for line in _lines(child) if line.strip()][-1:]
        run.cause = cause_in(_lines(child)) or "".join(last) or f"it ended with exit code {code}"
    return run


def cause_in(lines: Iterable[str]) -> str:
    """Return the last error in a log, without the runner's own; empty if there is none."""
    return ([it for it in causes(lines) if not it.startswith(RUNNER)] or [""])[-1]


def _cause_of(run: LocalRun) -> str:
    """Return the error of the first failed task that has one; empty if none has."""
    return next((step.cause for step in run.steps if step.cause and step.state != "SUCCESS"), "")


def _unexplained(run: LocalRun, child: Child, code: int) -> str:
    failed = [step.title for step in run.steps if step.state == "FAILURE"]
    what = f"{failed[0]} was ended from outside" if failed else f"it ended with exit code {code}"
    return f"{what}; see {child.log}"


def _lines(child: Child) -> list[str]:
    return COLOUR.sub("", child.output()).splitlines()


def _fresh_folder(stack: LocalStack, name: str) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = stack.state / "runs" / f"{stamp}-{time.monotonic_ns() % 1_000_000:06d}-{name}"
    folder.mkdir(parents=True)
    return folder


def _follow(stack: LocalStack, child: Child, note: Callable[[str], None]) -> int:
    try:
        with child.log.open(errors="replace") as log:
            ended = False
            rest = ""
            while not ended:
                ended = child.process.poll() is not None
                *lines, rest = (rest + log.read()).split("\n")
                for line in lines:
                    note(COLOUR.sub("", line))
                if not ended:
                    stack.must_run()
                    time.sleep(0.1)
    finally:
        child.stop()
    return int(child.process.returncode)


def _note(run: LocalRun, line: str, heard: Heard) -> None:
    now = time.monotonic()
    if found := STARTED.search(line):
        run.steps.append(LocalTask(found[1], run.titles.get(found[1], found[1]), now))
    elif found := ENDED.search(line):
        # In a KFP loop several tasks have one name; only running ones can end.
        same = [step for step in run.steps if step.name == found[1]]
        running = [step for step in same if step.state == "RUNNING"] or same[-1:]
        failed = found[2] == "FAILURE"
        step = next((step for step in running if bool(step.cause) == failed), running[0])
        step.seconds, step.state = now - step.started, found[2]
    elif found := RECORDED.search(line):
        run.id = found[1]
    elif run.steps and (line_read := read_line(line)):
        step = _speaker(run, line_read)
        if line_read.failure:
            step.cause = line_read.failure
        else:
            step.progress = line_read.text
            heard(step.title, step.progress)


def _speaker(run: LocalRun, line: Line) -> LocalTask:
    """Return the task of a progress line: by process, by name, else the task begun last."""
    named = [step for step in run.steps if step.name == line.task] or run.steps
    known = [step for step in named if line.process and step.process == line.process]
    if known:
        return known[-1]
    running = [step for step in named if step.state == "RUNNING"] or named[-1:]
    step = next((step for step in running if not step.process), running[-1])
    if not line.process:
        return running[-1]
    step.process = line.process
    return step
