"""A run on a host: started once under its name, waited for, and told about when it is over."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kfp import Client

from components.contracts.record import digest_of
from components.contracts.refusal import Refusal
from components.kubeflow.client import HostError, asking, url_of
from components.kubeflow.runs import Answer, find_run, run_name, start_run
from pipelines.kubeflow.taken import taken
from pipelines.kubeflow.versions import ROOT, choose
from pipelines.parameters import defaults

GOOD = "SUCCEEDED"
OVER = {GOOD, "FAILED", "CANCELED", "SKIPPED"}
PATIENCE = 5  # answers in a row that may be missed while waiting


class WaitError(Refusal):
    """A run was not over in time."""


class Run:
    """One run on a host.

    Args:
        client: Speaks to the host.
        answer: What the host said of the run.
        was_there: Whether it was found, and not started just now.
    """

    def __init__(self, client: Client, answer: Answer, *, was_there: bool = True) -> None:
        """Nothing is asked yet."""
        self._client, self._answer, self.was_there = client, answer, was_there
        self.id, self.name = str(answer.run_id), str(answer.display_name)

    def __repr__(self) -> str:
        """Return what a notebook shows."""
        return f"Run({self.name!r}, {self.state})"

    @property
    def state(self) -> str:
        """What the host last said: `PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED`, ..."""
        return str(self._answer.state or "PENDING")

    @property
    def succeeded(self) -> bool:
        """Whether it is over, and well."""
        return self.state == GOOD

    def refresh(self) -> "Run":
        """Ask the host how the run is, and return it."""
        with asking(url_of(self._client)):
            self._answer = self._client.get_run(self.id)
        return self

    def wait(
        self,
        timeout: float = 24 * 3600,
        every: float = 10,
        tell: Callable[[str], None] = lambda state: None,
    ) -> "Run":
        """Wait until the run is over, and return it.

        A host that does not answer for a moment is asked again.

        Args:
            timeout: Seconds to wait at most.
            every: Seconds between two questions.
            tell: Is told each new state.

        Raises:
            WaitError: If it is not over in time.
            HostError: If the host does not answer for good.
        """
        end, missed, told = time.monotonic() + timeout, 0, ""
        while True:
            try:
                self.refresh()
                missed = 0
            except HostError as error:
                missed += 1
                if missed > PATIENCE or 400 <= error.status < 500:
                    raise
            if not missed and self.state != told:
                told = self.state
                tell(told)
            if not missed and self.state in OVER:
                return self
            if time.monotonic() + every > end:
                raise WaitError(f"run {self.name} is {self.state} after {timeout:g} s")
            time.sleep(every)

    def logs(self) -> str:
        """Return each task's state and times, and what the failed ones said.

        A host gives a log as long as it keeps the pod or an archive of its output.
        """
        self.refresh()
        details = self._answer.run_details
        tasks = sorted((details.task_details if details else None) or [], key=_begin)
        lines = [f"{self.name} ({self.id}) {self.state}"]
        if self._answer.error and self._answer.error.message:
            lines.append(f"  {self._answer.error.message}")
        for task in tasks:
            lines += self._told(task)
        return "\n".join(lines)

    def _told(self, task: Answer) -> list[str]:
        lines = [f"  {task.state or 'PENDING':<10} {_times(task):<28} {task.display_name}"]
        if task.state != "FAILED":
            return lines
        said = [task.error, *(past.error for past in task.state_history or [])]
        lines += [f"      {error.message}" for error in said if error and error.message]
        children = [child.pod_name for child in task.child_tasks or []]
        for pod in dict.fromkeys(filter(None, [task.pod_name, *children])):
            lines += [f"      | {line}" for line in self._log(pod)]
        return lines

    def _log(self, pod: str) -> list[str]:
        api = self._client._run_api.api_client
        try:
            with asking(url_of(self._client)):
                text = api.call_api(
                    f"/apis/v1alpha1/runs/{self.id}/nodes/{pod}/log",
                    "GET",
                    header_params={"Accept": "text/plain"},
                    response_type="str",
                    auth_settings=["Bearer"],
                    _return_http_data_only=True,
                )
        except HostError as error:
            return [f"no log of {pod}: {error}"]
        return [f"{pod}:", *str(text).splitlines()]


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
        client: Speaks to the host.
        pipeline: What people call the pipeline.
        given: Pipeline parameters by name; the others keep their defaults.
        name: How to call the run; empty makes a name from pipeline, dataset, version and
            parameters.
        version: Which version runs; empty takes this checkout's if it is uploaded, and
            else the newest, and says on stderr which.
        again: Whether to start another, with a number after the name.
        root: A folder in that checkout.

    Raises:
        Refusal: If there is no such parameter or version, or the host does not take it.
    """
    parameters = defaults(pipeline) | taken(pipeline, given)
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

    Raises:
        Refusal: If the host does not know it.
    """
    if found := find_run(client, run):
        return Run(client, found)
    try:
        with asking(url_of(client)):
            return Run(client, client.get_run(run))
    except HostError as error:
        if error.status not in (400, 404):
            raise
        raise Refusal(f"the host knows no run {run!r}, expected a run's name or id") from error


def _begin(task: Answer) -> datetime:
    begin = task.start_time or task.create_time
    return begin if begin else datetime.max.replace(tzinfo=UTC)


def _times(task: Answer) -> str:
    begin, end = task.start_time or task.create_time, task.end_time
    if not begin:
        return "not begun"
    lasted = f" {(end - begin).total_seconds():.0f} s" if end and end > begin else ""
    return f"{begin:%Y-%m-%d %H:%M:%S}{lasted}"
