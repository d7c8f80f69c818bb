"""Task entry point in a container: retry outages, report user errors, check the service account.

`python -m components.task MODULE OPTIONS` runs MODULE, KFP's own executor. An outage of a
service is waited for and the task begins again; a user error ends it with one line; a pod under
another service account than the one in TASK_ACCOUNT is refused. On a laptop the account of
whatever pod runs the pipeline, such as a build agent's, is not checked.
"""

import base64
import json
import os
import runpy
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.shared.contracts.account import EXPECTED
from components.shared.contracts.errors import UserError
from components.shared.contracts.failure import ending, last_line
from components.shared.contracts.outages import retry_outages
from components.shared.contracts.policy import OutagePolicy
from components.shared.contracts.progress import TASK, say_failed
from components.shared.settings.policy_file import policy_from

TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
POD = "KFP_POD_NAME"  # set by Kubeflow Pipelines alone, in every pod of a run


def main(words: Sequence[str], policy: OutagePolicy | None = None) -> int:
    """Run a module with its options, and return the exit code.

    Args:
        words: The module, and its options.
        policy: How often and how long an outage is waited for; None: as the policy file says.
    """
    module, *options = words
    if name := local_name(options, os.environ):
        os.environ[TASK] = f"{name} {os.getpid()}"
    try:
        check_account(expected_account(os.environ), TOKEN)
        sys.argv = [module, *options]
        retry_outages(
            lambda: runpy.run_module(module, run_name="__main__", alter_sys=True),
            lambda: forget_outputs(options),
            policy or policy_from(os.environ).outage,
        )
    except Exception as error:
        end = ending(error)
        if name:
            say_failed(end.sentence if end else f"{type(error).__name__}: {error}")
        if end is None or isinstance(error, OSError):  # in a pod nobody chose the path
            raise
        print(last_line(error, end.sentence), file=sys.stderr)
        return end.code
    return 0


def local_name(options: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return the name of a task of a local run, for its progress lines; empty in a pod.

    Args:
        options: Options of KFP's entry point.
        environment: Environment variables of this process.
    """
    output = str(_executor_input(options).get("outputs", {}).get("outputFile", ""))
    return "" if POD in environment else Path(output).parent.name


def expected_account(environment: Mapping[str, str]) -> str:
    """Return the service account that a task must have; empty outside a pod of Pipelines."""
    return environment.get(EXPECTED, "") if POD in environment else ""


def check_account(expected: str, token: Path) -> None:
    """Raise if this pod runs under another service account than a run's tasks must have.

    Args:
        expected: Name of the service account; empty accepts any.
        token: File where Kubernetes mounts the token of a pod's account.

    Raises:
        UserError: If there is a token, and it is another account's.
    """
    account = _account_of(token) if expected and token.is_file() else ""
    if account and account != expected:
        raise UserError(
            f"this run acts as the service account {account!r}, expected {expected!r}: start it "
            f"again with {expected} under Service account"
        )


def forget_outputs(options: Sequence[str]) -> None:
    """Remove the artifacts that a failed attempt has begun to write.

    Args:
        options: Those of KFP's entry point.
    """
    for path in map(Path, _outputs(_executor_input(options))):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _executor_input(options: Sequence[str]) -> dict[str, Any]:
    words = list(options)
    known = "--executor_input" in words[:-1]
    return dict(json.loads(words[words.index("--executor_input") + 1])) if known else {}


def _outputs(given: dict[str, Any]) -> Iterator[str]:
    from kfp.dsl import Artifact

    for listed in given.get("outputs", {}).get("artifacts", {}).values():
        for one in listed.get("artifacts", ()):
            yield Artifact(uri=one["uri"]).path


def _account_of(token: Path) -> str:
    """Return the service account in a token; empty if the token cannot be read.

    The token is not verified: Kubernetes mounted it, and nothing is allowed because of it.
    """
    try:
        _, payload, _ = token.read_text().strip().split(".")
        padded = payload + "=" * (-len(payload) % 4)
        subject = str(json.loads(base64.urlsafe_b64decode(padded)).get("sub", ""))
    except (OSError, ValueError, AttributeError):
        return ""
    return subject.rpartition(":")[2] if subject.startswith("system:serviceaccount:") else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
