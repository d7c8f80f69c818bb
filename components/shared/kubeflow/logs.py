"""Read the log of a task's pod, without the lines of Kubeflow's launcher and executor."""

import json
import re
from collections.abc import Iterator

from kfp.client import Client

from components.shared.contracts.failure import causes
from components.shared.kubeflow.client import HostError, get
from components.shared.kubeflow.nodes import Node
from components.shared.kubeflow.tasks import ContainerTask

LAUNCHER = re.compile(
    r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\.go:\d+\]"  # Kubeflow's own, in Go
    r"|\[KFP Executor .*?\]:"
    r"|time=\S+ level=\w+ msg="  # Argo's
    r"|Error: exit status \d+$|WARNING: Running pip as "
)
ERROR = re.compile(r"[EF]\d{4} .*?\.go:\d+\] (.+)$")
INPUT = "Got executor_input:"  # the input follows on lines of its own, up to a brace
NOT_FOUND = re.compile(r"not found|does not exist|NoSuchKey|does not belong to run")
MAX_SENTENCE = 500


def own_lines(text: str) -> list[str]:
    """Return the lines that the task itself printed.

    >>> own_lines("I1005 08:10:39.123456      27 launcher_v2.go:193] publish success.")
    []
    """
    return list(_own(text.splitlines()))


def sentence(lines: list[str]) -> str:
    """Return the last line of the last traceback in a log, else its last line.

    >>> sentence(["Traceback (most recent call last):", "contracts.errors.UserError: no room"])
    'no room'
    """
    spoken = [line.strip() for line in lines if line.strip()]
    return ([*causes(lines)] or spoken or [""])[-1][:MAX_SENTENCE]


def read_log(client: Client, run_id: str, node: Node) -> str | None:
    """Return the log of a node's pod, or None if the host no longer has one.

    Pipelines 2.17 answers with status 200 and JSON if there is none; later versions with 500.

    Args:
        client: Client of the host.
        run_id: Id of the run.
        node: Node of the workflow.

    Raises:
        HostError: If the host does not answer, or its answer is not clear.
    """
    for pod in node.pods:
        try:
            answer = get(client, f"/apis/v1alpha1/runs/{run_id}/nodes/{pod}/log", "text/plain")
        except HostError as error:
            if error.status == 404 or (error.status == 500 and NOT_FOUND.search(str(error))):
                continue
            raise
        if not (isinstance(answer, dict) and "error_message" in answer):
            return answer if isinstance(answer, str) else json.dumps(answer)
    return None


def why_it_failed(client: Client, run_id: str, task: ContainerTask) -> str:
    """Return the error of a failed task in one sentence: from its log, else from Argo.

    Args:
        client: Client of the host.
        run_id: Id of the run.
        task: The task.

    Raises:
        HostError: If the host does not answer.
    """
    text = read_log(client, run_id, task.attempts[-1]) if task.attempts else None
    lines = own_lines(text or "")
    cause = sentence(lines) or _of_kubeflow(text or "")
    if cause and (any(causes(lines)) or not task.message):
        return cause
    return "; ".join(filter(None, [task.message, cause])) or "it left no log"


def _of_kubeflow(text: str) -> str:
    """Return the last error of a driver or launcher, for a task that printed nothing itself."""
    found = [error[1] for line in text.splitlines() if (error := ERROR.match(line))]
    return " ".join(found[-1:])[:MAX_SENTENCE]


def _own(lines: list[str]) -> Iterator[str]:
    within = False
    for line in lines:
        if within:
            within = line != "}"
        elif LAUNCHER.match(line):
            within = line.endswith(INPUT)
        elif line.strip():
            yield line.rstrip()
