"""Command `train-if-changed`: compare the training fingerprint of two git commits."""

import io
import re
import subprocess
import sys
import zipfile
from typing import Any

from components.shared.contracts.errors import UserError

LOCK = "images/trainer/requirements.txt"
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;]+)", re.MULTILINE)


def add(commands: Any) -> None:
    """Add the command.

    Args:
        commands: The command line's subparsers.
    """
    train = commands.add_parser("train-if-changed", help="train after a merge, on Kubeflow")
    train.add_argument("--dataset", required=True, help="name of the dataset")
    train.add_argument("--since", required=True, help="commit of the last delivery")
    train.set_defaults(act=_train_if_changed)


def reason_to_train(since: str) -> str:
    """Return why the checked-out commit needs a training; empty if it does not.

    It does if the fingerprint of training differs: the code that learns and the locked packages.

    Args:
        since: Any name of the commit that was delivered last. An unknown one, such as that of
            the first delivery or of before a forced push, needs a training.

    Raises:
        UserError: If this is no git checkout.
    """
    if _git("rev-parse", "--verify", "--quiet", "HEAD").returncode:
        raise UserError("this folder has no git revision, expected a checkout with a commit")
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{since}^{{commit}}")
    if commit.returncode:
        return f"{since} is not a known commit"
    before, now = _parts(commit.stdout.decode().strip()), _parts("HEAD")
    changed = sorted(name for name in before.keys() | now if before.get(name) != now.get(name))
    others = f" and {len(changed) - 1} others" if len(changed) > 1 else ""
    return f"{changed[0]}{others} changed since {since}" if changed else ""


def _parts(commit: str) -> dict[str, str]:
    """Return the parts of the training fingerprint at a commit."""
    from components.training.train_detector.plan.fingerprint import PACKAGES, parts

    archive = _git("archive", "--format=zip", commit)
    if archive.returncode:
        raise UserError(f"git cannot read {commit}: {archive.stderr.decode().strip()}")
    root = zipfile.Path(io.BytesIO(archive.stdout))
    lock = root / LOCK
    pins = PIN.findall(lock.read_text(encoding="utf-8")) if lock.is_file() else []
    versions = {
        name: " ".join(version for package, version in pins if package in distributions)
        for name, distributions in PACKAGES.items()
    }
    return parts(root / "components", versions)


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *words], capture_output=True, check=False)


def _train_if_changed(options: dict[str, Any]) -> int:
    reason = reason_to_train(options["since"])
    if not reason:
        print("no training: no code and no package that it depends on has changed")
        return 0
    from pipelines.kubeflow.host import Host

    print(f"training: {reason}", file=sys.stderr)
    run = Host().submit("train", dataset=options["dataset"], approval="manual")
    print(f"{run.name} {'exists' if run.was_there else 'started'}")
    return 0
