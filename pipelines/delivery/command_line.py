"""A merge starts a training if it changes what training depends on."""

import subprocess
import sys
from typing import Any

from components.contracts.refusal import Refusal


def add(commands: Any) -> None:
    """Add the command.

    Args:
        commands: The command line's subparsers.
    """
    train = commands.add_parser("train-if-changed", help="on Kubeflow, after a merge")
    train.add_argument("--dataset", required=True, help="whose detector")
    train.add_argument("--since", required=True, help="the commit that was delivered last")
    train.set_defaults(act=_train_if_changed)


def reason_to_train(since: str, rooms: list[str]) -> str:
    """Say why the commit that is checked out asks for a training, or nothing if it does not.

    Args:
        since: Any name of the commit that was delivered last. One that is not known, such as
            that of the first delivery or of before a forced push, may have been anything.
        rooms: Folders that training depends on.

    Raises:
        Refusal: If this is no git checkout.
    """
    if _git("rev-parse", "--verify", "--quiet", "HEAD").returncode:
        raise Refusal("here is no git revision, expected a checkout with a commit")
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{since}^{{commit}}")
    if commit.returncode:
        return f"{since} is no commit that is known here"
    changed = _git("diff", "--name-only", commit.stdout.strip(), "HEAD", "--", *rooms)
    if changed.returncode:
        raise Refusal(f"git cannot compare {since} with HEAD: {changed.stderr.strip()}")
    files = changed.stdout.splitlines()
    return f"{files[0]} and {len(files) - 1} other files changed since {since}" if files else ""


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False)


def _train_if_changed(options: dict[str, Any]) -> int:
    from components.train_detector.plan import ROOMS

    reason = reason_to_train(options["since"], [f"components/{room}" for room in ROOMS])
    if not reason:
        print("nothing that training depends on has changed")
        return 0
    from pipelines.kubeflow.host import Host

    print(f"{reason}: training", file=sys.stderr)
    run = Host().submit("train", dataset=options["dataset"], approval="manual")
    print(f"{run.name} {'was there' if run.was_there else 'started'}")
    return 0
