"""Trainings of toys in processes of their own, whose workers can be harmed.

`python -m tests.support.training_processes FOLDER SETTINGS` trains as JSON
says, with its object store and snapshot in the folder. `blind` among the settings leaves the
validation split without boxes: no epoch is better than another, so the last is kept.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from components.shared.contracts.absence import mark_absent
from components.shared.contracts.model import TrainedLayout
from components.shared.contracts.record import read_lines
from components.shared.store.objects import Objects
from components.training.train_detector.launchers.local import launch_local
from components.training.train_detector.plan.history import Epoch
from components.training.train_detector.plan.settings import TrainingSettings
from components.training.train_detector.train import train
from tests.support.toy_snapshots import CAR, write_snapshot

ROOT = Path(__file__).parents[2]
LOOK_EVERY_S = 0.02


class Training:
    """One training, started now; another one in the same folder goes on with it."""

    def __init__(self, folder, **settings):
        self.folder = Path(folder)
        self.trained = self.folder / "trained"
        self.folder.mkdir(exist_ok=True)
        self.log = self.folder / "said.txt"
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(folder), json.dumps(settings)],
                cwd=ROOT, stdout=said, stderr=said,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def workers(self):
        """Return the processes of the workers by their numbers."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                config = json.loads(child.environ().get("TF_CONFIG") or "{}")
                if "components.training.train_detector.worker.main" in child.cmdline():
                    found[config.get("task", {}).get("index", 0)] = child
            except psutil.Error:  # it ended while we looked
                continue
        return found

    def checkpoints(self, worker=0):
        """Return the files of a worker's checkpoints, the newest last."""
        return sorted(self.folder.glob(f"objects/trainings/*/checkpoints/{worker}/*.npz"))

    def step(self, worker=0):
        """Return the number of a worker's newest checkpoint, or 0."""
        return max((int(file.stem) for file in self.checkpoints(worker)), default=0)

    def until(self, condition, within_s=120.0):
        """Wait for a condition; an end that comes first is an error."""
        deadline = time.monotonic() + within_s
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"ended with {self.process.poll()}: {self.said()}")
            time.sleep(LOOK_EVERY_S)

    def end(self, within_s=240.0):
        """Return the exit code, once there is one."""
        return self.process.wait(within_s)

    def resumed(self):
        """Return the steps after which all went on, in order."""
        return [
            int(step)
            for step in re.findall(r"» resumed from the checkpoint of step (\d+)", self.said())
        ]

    def said(self):
        """Return what was said in this folder, by all trainings."""
        return self.log.read_text()


def weights(trained):
    """Return what was learned, by name."""
    with np.load(TrainedLayout(trained).weights) as held:
        return dict(held)


def losses(trained):
    """Return the loss of each epoch."""
    return np.array([line.loss for line in read_lines(Epoch, TrainedLayout(trained).history)])


def apart(first, second):
    """Return the largest difference of two trainings' losses and of their weights."""
    ours, theirs = weights(first), weights(second)
    far = max(float(np.abs(ours[name] - theirs[name]).max()) for name in ours)
    return float(np.abs(losses(first) - losses(second)).max()), far


def main(folder, settings):
    """Train."""
    folder, chosen = Path(folder), {"image_size": 64, **json.loads(settings)}
    validated = () if chosen.pop("blind", False) else (CAR,)
    objects = Objects((folder / "objects").as_uri())
    if not (folder / "snapshot").exists():
        write_snapshot(folder / "snapshot", objects, validated)
        mark_absent(folder / "champion", "this is the first")
    snapshot, champion, trained = (folder / it for it in ("snapshot", "champion", "trained"))
    train(snapshot, champion, trained, TrainingSettings(**chosen), objects, launch_local)


if __name__ == "__main__":
    main(*sys.argv[1:])
