"""Final state of a pipeline run, as a state of the KFP API, and the reason of a failure.

The task that records it runs inside the run, as its exit handler: for Kubeflow Pipelines the run
is still RUNNING then, and what Pipelines 2.17 hands to the task is a state of its metadata store,
without an error. So the state of the node that the handler follows decides, which Argo has set
before it starts the handler; and that somebody terminates the run, which the run's own state says.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.shared.contracts.errors import ApplicationError, OutageError
from components.shared.contracts.outages import is_outage
from components.shared.kubeflow.client import HostClient, HostError, connect, host_errors, url_of
from components.shared.kubeflow.logs import why_it_failed
from components.shared.kubeflow.nodes import Node, nodes_of
from components.shared.kubeflow.tasks import container_tasks, failed, titles_of

UNKNOWN = "RUNTIME_STATE_UNSPECIFIED"
WORDS = {
    "SUCCEEDED": "SUCCEEDED",
    "COMPLETE": "SUCCEEDED",
    "CACHED": "SUCCEEDED",
    "FAILED": "FAILED",
    "CANCELED": "CANCELED",
    "CANCELLED": "CANCELED",
}  # state of the API by a runner's word; RUNNING is not final
DECIDED = {"SUCCEEDED", "FAILED"}  # states of a node
CANCELED = {"CANCELING", "CANCELED"}
PATIENCE_S = 60.0  # until the API has the final state of the last task before the handler
PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Final state of a run.

    Attributes:
        run_id: Id or name of the run.
        state: `SUCCEEDED`, `FAILED`, `CANCELED`, or `RUNTIME_STATE_UNSPECIFIED`.
        reason: Why it failed; empty if it did not, or if it is not known.
    """

    run_id: str
    state: str
    reason: str

    @property
    def sentence(self) -> str:
        """The state and the reason, for the log."""
        return f"{self.state.lower()}: {self.reason}" if self.reason else self.state.lower()


def outcome(run_id: str, state: str, code: int | None, message: str | None) -> Outcome:
    """Return the outcome of a run from the words of a pipeline runner.

    Args:
        run_id: Id or name of the run.
        state: State in the runner's word.
        code: Code of the error, if there was one.
        message: Message of the error, of any number of lines.

    >>> outcome("run-7", "FAILED", 1, "no disk").sentence
    'failed: no disk (code 1)'
    """
    reason = " ".join((message or "").split())
    known = WORDS.get(state, UNKNOWN)
    return Outcome(run_id, known, f"{reason} (code {code})".strip() if code else reason)


def ended(run_id: str, status: Any, host: str, *, patience: float = PATIENCE_S) -> Outcome:
    """Return the outcome of a run: from the runner's status if it is final, else from the API.

    Args:
        run_id: Id or name of the run.
        status: A `PipelineTaskFinalStatus`. Only on a laptop is it final, with a reason.
        host: URL of Kubeflow Pipelines; empty if there is none.
        patience: Seconds to wait until the API has the run's final state.
    """
    reported = outcome(run_id, status.state, status.error_code, status.error_message)
    if status.state == "SUCCEEDED" or (status.state == "FAILED" and reported.reason) or not host:
        return reported
    try:
        return _poll(host, run_id, status.pipeline_task_name, patience)
    except ApplicationError as error:
        return Outcome(run_id, reported.state, f"Kubeflow Pipelines gives no reason: {error}")


def _poll(host: str, run_id: str, handler: str, patience: float) -> Outcome:
    """Poll a host until it has the final state of a run, for at most `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        late = time.monotonic() > deadline
        try:
            if found := _read_outcome(host, run_id, handler, late):
                return found
        except HostError as error:
            if late or not is_outage(error):
                raise
        if late:
            raise OutageError(f"no final state of {handler} after {patience:.0f} s")
        time.sleep(min(PAUSE_S, patience))


def _read_outcome(host: str, run_id: str, handler: str, late: bool) -> Outcome | None:
    """Return the outcome of a run from a host, or None if it is not final yet."""
    client = connect(host)
    with host_errors(url_of(client)):
        run = client.get_run(run_id)
    nodes = nodes_of(client, run)
    state = decided(str(run.state), nodes, handler)
    if state != "FAILED":
        return Outcome(run_id, state, "") if state else None
    try:
        return Outcome(run_id, state, why(client, run, nodes))
    except HostError as error:  # that it failed is known all the same
        if is_outage(error) and not late:
            raise
        return Outcome(run_id, state, f"the reason could not be read: {error}")


def decided(run_state: str, nodes: Mapping[str, Node], handler: str) -> str:
    """Return the final state of a run whose exit handler runs; empty if it is not known yet.

    Args:
        run_state: State of the run in the API, which is not final yet.
        nodes: All nodes of the run by their names.
        handler: Key of the graph that the exit handler follows.
    """
    if run_state in CANCELED:
        return "CANCELED"
    states = {
        node.state
        for name, node in nodes.items()
        if name.rpartition(".")[2] == handler or f"{name}.onExit" in nodes
    }
    return states.pop() if len(states) == 1 and states <= DECIDED else ""


def why(client: HostClient, run: Any, nodes: Mapping[str, Node]) -> str:
    """Return the task of a run that failed, and its error, in a sentence.

    Args:
        client: Client of the host.
        run: The run, as the API returned it.
        nodes: All nodes of the run by their names.

    Raises:
        HostError: If the host does not answer, or the log may not be read.
    """
    broken = failed(container_tasks(nodes, titles_of(client, run)))
    if not broken:
        return "no task is known to have failed"
    name = broken[0].name
    try:
        return f"{name}: {why_it_failed(client, str(run.run_id), broken[0])}"
    except HostError as error:
        raise HostError(f"log of {name}: {error}", error.status) from error
