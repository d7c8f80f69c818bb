"""Train in workers that are shut into as much memory as they should need, and see them finish.

The kernel counts against the limit what a worker allocates and what it reads from files, and
takes the latter back before it kills. The same training without a limit says what that costs.
`make prove-training DATA=folder` runs it.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np

from components.shared.contracts.model import TrainedLayout
from components.shared.store.objects import Objects
from components.training.train_detector.launchers.outcome import TrainingError
from components.training.train_detector.plan.settings import TrainingSettings
from pipelines.local.local_stack import LocalStack, local_stack
from tests.proofs.accuracy import freeze_folder, train_in
from tests.proofs.cgroups import Cgroup, limited_to
from tests.proofs.needs import need_images, need_memory_limits

LIMIT_MB = 1100  # of each worker
SETTINGS = {"size": "nano", "epochs": 8}
A_WORKER = 8  # images of a step


def main() -> int:
    """Train alone and by two, print what was seen, and return 0 if nobody was killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.memory", description=__doc__)
    parser.add_argument("--data", default="", help="folder of images with boxes and splits")
    parser.add_argument("--precision", default="float32", help="or bfloat16")
    parser.add_argument("--limit", default=LIMIT_MB, type=int, help="megabytes of each worker")
    options = parser.parse_args()
    need_images(options.data)
    need_memory_limits()
    good = True
    with TemporaryDirectory() as name:
        os.environ["CARS_STATE"] = str(Path(name) / "state")
        with local_stack() as stack:
            snapshot = freeze_folder(stack, Path(options.data).resolve(), Path(name) / "snapshot")
            for workers in (1, 2):
                more = {"workers": workers, "batch_size": workers * A_WORKER}
                settings = TrainingSettings(**SETTINGS, **more, precision=options.precision)
                folder = Path(name) / str(workers)
                good &= lives_within(options.limit, stack, snapshot, folder, settings)
    print("all as it should be" if good else "NOT as it should be")
    return 0 if good else 1


def lives_within(
    limit_mb: int, stack: LocalStack, snapshot: Path, folder: Path, settings: TrainingSettings
) -> bool:
    """Train with a limit and without, say what both took, and compare what was learned."""
    who = f"{settings.workers} of {settings.precision}, {limit_mb:,} MB each"
    free, free_s = trained_by(stack, snapshot, folder / "free", settings)
    with shut_in(limit_mb, settings.workers) as groups:
        try:
            shut, shut_s = trained_by(stack, snapshot, folder / "shut", settings)
        except TrainingError as error:
            print(f"{who}: {error}")
            return False
        peak, kills = max(g.peak_bytes() for g in groups), sum(g.kills() for g in groups)
    same = all(np.array_equal(free[name], shut[name]) for name in free)
    print(
        f"{who}: {kills} killed, used at most {peak / 1e6:,.0f} MB with files that were read; "
        f"{shut_s:.0f} s, without a limit {free_s:.0f} s; "
        f"weights {'byte for byte equal' if same else 'NOT equal'}",
        flush=True,
    )
    return not kills and same


def trained_by(
    stack: LocalStack, snapshot: Path, folder: Path, settings: TrainingSettings
) -> tuple[Mapping[str, np.ndarray], float]:
    """Return what is learned, and the seconds that it takes, from a store that knows of none."""
    Objects(stack.env["OBJECT_STORE_URL"]).delete_folder("trainings")
    seconds = train_in(stack, snapshot, folder, settings)
    return np.load(TrainedLayout(folder / "trained").weights), seconds


@contextmanager
def shut_in(limit_mb: int, workers: int) -> Iterator[list[Cgroup]]:
    """Let workers that are started meanwhile begin their lives in a group each."""
    with limited_to(limit_mb * 10**6, workers) as groups:
        turns = cycle(groups)  # all begin again together

        class ShutIn(subprocess.Popen):
            def __init__(self, *given: Any, **more: Any) -> None:
                options: dict[str, Any] = {"preexec_fn": next(turns).join, **more}
                super().__init__(*given, **options)

        with mock.patch.object(subprocess, "Popen", ShutIn):
            yield groups


if __name__ == "__main__":
    sys.exit(main())
