"""Submit a run once under its name, wait for it, and read its logs."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kfp import Client

from components.shared.contracts.errors import OutageError, UserError
from components.shared.contracts.outages import is_outage
from components.shared.contracts.record import digest_of
from components.shared.kubeflow.client import HostError, host_errors, url_of
from components.shared.kubeflow.logs import own_lines, read_log, why_it_failed
from components.shared.kubeflow.nodes import nodes_of
from components.shared.kubeflow.runs import (
    FINAL_STATES,
    SUCCEEDED,
    Answer,
    find_run,
    run_name,
    start_run,
)
from components.shared.kubeflow.tasks import ContainerTask, container_tasks, failed, titles_of
from pipelines.kubeflow.pods import waiting_pods
from pipelines.kubeflow.runtime_parameters import runtime_parameters
from pipelines.kubeflow.versions import ROOT, choose
from pipelines.parameters import defaults

LINES = {"FAILED": 20, "RUNNING": 20}  # of a task's log that are shown, by its state
LINES_ELSE = 3
MAX_FAILED_POLLS = 5  # in a row, while waiting


class RunTimeoutError(OutageError):
    """A run was not over in time."""


class Run:
    """One run on a host.

    Args:
        client: Client of the host.
        answer: The run, as the API returned it.
        was_there: Whether it existed before, and was not started just now.
    """

    def __init__(self, client: Client, answer: Answer, *, was_there: bool = True) -> None:
        self._client, self._answer, self.was_there = client, answer, was_there
        self.id, self.name = str(answer.run_id), str(answer.display_name)
        self._titles: dict[str, str] = {}

    def __repr__(self) -> str:
        """Return the text that a notebook shows."""
        return f"Run({self.name!r}, {self.state})"

    @property
    def state(self) -> str:
        """The last known state: `PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED`, ..."""
        return str(self._answer.state or "PENDING")

    @property
    def succeeded(self) -> bool:
        """Whether it ended with success."""
        return self.state == SUCCEEDED

    def refresh(self) -> "Run":
        """Update the state from the host, and return the run."""
        with host_errors(url_of(self._client)):
            self._answer = self._client.get_run(self.id)
        return self

    def wait(
        self,
        timeout: float = 24 * 3600,
        every: float = 10,
        log: Callable[[str], None] = lambda state: None,
    ) -> "Run":
        """Wait until the run is over, and return it.

        Requests that fail for a moment are tried again.

        Args:
            timeout: Maximum time to wait, in seconds.
            every: Poll interval, in seconds.
            log: Called with each new state, and once with each reason why a pod is pending.

        Raises:
            RunTimeoutError: If it is not over in time.
            HostError: If the host does not answer for good.
        """
        end, missed = time.monotonic() + timeout, 0
        logged: set[str] = set()
        while True:
            try:
                news = [self.refresh().state, *self._pending()]
                missed = 0
            except HostError as error:
                news, missed = [], missed + 1
                if missed > MAX_FAILED_POLLS or not is_outage(error):
                    raise
            for line in news:
                if line not in logged:
                    log(line)
            logged.update(news)
            if not missed and self.state in FINAL_STATES:
                return self
            if time.monotonic() + every > end:
                raise RunTimeoutError(f"run {self.name} is {self.state} after {timeout:g} s")
            time.sleep(every)

    def logs(self) -> str:
        """Return the error of a failed run, and the state, times and last lines of each task.

        A host has a log as long as it keeps the pod or an archive of its output.

        Raises:
            HostError: If the host does not answer.
        """
        tasks = self.refresh().tasks()
        lines = [f"{self.name} ({self.id}) {self.state}"]
        if self.state not in FINAL_STATES:
            lines += [f"  {line}" for line in self.waiting(tasks)]
        for task in failed(tasks):
            lines.append(f"  {task.name}: {why_it_failed(self._client, self.id, task)}")
        for task in tasks:
            lines += self._lines_of(task)
        return "\n".join(lines)

    def tasks(self) -> list[ContainerTask]:
        """Return the container tasks that have begun, in that order."""
        nodes = nodes_of(self._client, self._answer)
        if nodes and not self._titles:
            self._titles = titles_of(self._client, self._answer)
        return container_tasks(nodes, self._titles)

    def waiting(self, tasks: list[ContainerTask] | None = None) -> list[str]:
        """Return why pods of the run are pending, a line each.

        The reason is in the workflow, if the host returns it; else in the cluster of KUBECONFIG.
        """
        found = self.tasks() if tasks is None else tasks
        lines = [f"{task.name} waits: {task.waits_for}" for task in found if task.waits_for]
        return lines or waiting_pods(self.id)

    def _pending(self) -> list[str]:
        """Return why pods are pending, if any are."""
        details = self._answer.run_details.task_details if self._answer.run_details else None
        pending = any(one.state == "PENDING" for one in details or [])
        return self.waiting() if pending and self.state not in FINAL_STATES else []

    def _lines_of(self, task: ContainerTask) -> Iterator[str]:
        yield f"  {task.state or 'PENDING':<10} {_times(task):<28} {task.name}"
        if task.attempts and task.state not in ("PENDING", "SKIPPED"):
            text = read_log(self._client, self.id, task.attempts[-1])
            lines = ["(its log is gone)"] if text is None else own_lines(text)
            for line in lines[-LINES.get(task.state, LINES_ELSE) :]:
                yield f"      | {line}"


def submit(
    client: Client,
    pipeline: str,
    given: Mapping[str, Any],
    *,
    name: str = "",
    version: str = "",
    again: bool = False,
    root: Path = ROOT,
) -> Run:
    """Start a run of an uploaded pipeline, or find the one that was started.

    Args:
        client: Client of the host.
        pipeline: Command-line name of the pipeline.
        given: Pipeline parameters by name; the others keep their defaults.
        name: Name of the run; empty makes one from pipeline, dataset, version and parameters.
        version: Name of the version; empty takes this checkout's if it is uploaded, and
            else the newest, and prints which on stderr.
        again: Whether to start another run, with a number after the name.
        root: A folder in that checkout.

    Raises:
        UserError: If there is no such parameter or version, or the host does not take it.
    """
    parameters = defaults(pipeline) | runtime_parameters(pipeline, given)
    chosen = choose(client, pipeline, version, root=root)
    digest = digest_of({"version": chosen.name, "parameters": parameters})
    wanted = name or run_name(pipeline, str(parameters["dataset"]), digest)
    label, number = wanted, 1
    while found := find_run(client, label):
        if not again:
            return Run(client, found)
        number += 1
        label = f"{wanted}-{number}"
    return Run(client, start_run(client, label, chosen, parameters), was_there=False)


def find(client: Client, run: str) -> Run:
    """Return a run by its name or its id.

    Both are searched in the list of runs, which returns at once if there is none.

    Args:
        client: Client of the host.
        run: Name or id of the run.

    Raises:
        UserError: If the host has no such run.
    """
    if found := find_run(client, run) or _by_id(client, run):
        return Run(client, found)
    raise UserError(f"the host knows no run {run!r}, expected a run's name or id")


def _by_id(client: Client, run: str) -> Answer | None:
    try:
        return find_run(client, run, key="run_id")
    except HostError as error:
        if not error.status:
            raise
    try:  # the list of this host is not filtered by id
        with host_errors(url_of(client)):
            return client.get_run(run)
    except HostError as error:
        if error.status not in (400, 404):
            raise
        return None


def _times(task: ContainerTask) -> str:
    if not task.begin:
        return "not begun"
    over = task.end is not None and task.end >= task.begin  # a running task ends in the year 1
    lasted = f" {(task.end - task.begin).total_seconds():.0f} s" if task.end and over else ""
    return f"{task.begin:%Y-%m-%d %H:%M:%S}{lasted}"
