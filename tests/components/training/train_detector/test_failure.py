"""A training that fails ends the process with one error message and without a traceback of ours."""

import os
import subprocess
import sys
from pathlib import Path

from components.shared.contracts.absence import mark_absent
from components.shared.store.objects import Objects
from tests.support.toy_snapshots import write_snapshot

ROOT = Path(__file__).parents[4]


def test_a_failed_worker_ends_the_job_with_1_and_without_the_launchers_traceback(
    tmp_path, object_store
):
    write_snapshot(tmp_path / "snapshot", Objects(object_store))
    mark_absent(tmp_path / "champion", "this is the first")
    folders = [f"--{name}={tmp_path / name}" for name in
               ("snapshot", "champion", "trained", "curves", "metrics")]  # fmt: skip

    process = subprocess.run(
        [sys.executable, "-m", "components", "train_detector", *folders, "--workers=1",
         "--image-size=64", "--epochs=1"],
        cwd=ROOT, env={**os.environ, "OBJECT_STORE_URL": object_store, "WORKER_THREADS": "many"},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip

    assert process.returncode == 1
    assert process.stderr.startswith("worker-0 ended with 1:\n")
    assert "invalid literal for int() with base 10: 'many'" in process.stderr
    assert "in launch_local" not in process.stderr
