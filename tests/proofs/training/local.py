"""The component as a process of its own, here or against the cluster, and what it learned."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from components.shared.contracts.model import TrainedLayout
from components.shared.contracts.record import read_lines
from components.shared.store.objects import Objects
from components.training.train_detector.plan.history import Epoch
from tests.proofs.training.place import ROOT
from tests.support.toy_snapshots import write_snapshot

WITHIN_S = 240


def train_here(folder: Path) -> Path:
    """Train with two processes here, from a store of its own, so that nothing is found done."""
    url = (folder / "objects").as_uri()
    snapshot = folder / "local-snapshot"
    write_snapshot(snapshot, Objects(url))
    here = {"OBJECT_STORE_URL": url}
    process = train(folder / "local", folder, here, launcher="local", snapshot=snapshot)
    said, _ = process.communicate(timeout=WITHIN_S)
    if process.returncode:
        raise SystemExit(said)
    return folder / "local"


def train(trained: Path, folder: Path, more: dict[str, str], **options) -> subprocess.Popen:
    paths = {
        "snapshot": folder / "snapshot", "champion": folder / "champion", "trained": trained,
        "curves": trained.with_suffix(".html"), "metrics": trained.with_suffix(".metrics"),
        "image-size": 64, "epochs": 3, "batch-size": 4, "workers": 2, "seed": 0, **options,
    }  # fmt: skip
    given = [part for name, value in paths.items() for part in (f"--{name}", str(value))]
    return subprocess.Popen(
        [sys.executable, "-m", "components", "train_detector", *given],
        cwd=ROOT, env={**os.environ, **more}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def history(trained: Path) -> list[Epoch]:
    return read_lines(Epoch, TrainedLayout(trained).history)


def apart(first: Path, second: Path) -> float:
    ours, theirs = (np.load(TrainedLayout(one).weights) for one in (first, second))
    return max(float(np.abs(ours[key] - theirs[key]).max()) for key in ours.files)
