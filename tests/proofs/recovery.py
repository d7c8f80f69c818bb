"""Kill `make run` with SIGKILL in ingestion, in training and in deployment, and run it again.

Each time the second run must end with the same snapshot, the same rows, one version and
no process left. `make prove-recovery` runs it and prints what it saw. With
KAFKA_BOOTSTRAP_SERVERS the stream is that of a real cluster, with topics made anew for each.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from pipelines.local.database import EmbeddedDatabase
from tests.proofs.needs import need_free_topics
from tests.support.kafka_admin import Admin

ROOT = Path(__file__).parents[2]
STREAM = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")

# Kill as soon as something that matches stands in the log of a job or pipeline.
MOMENTS = {
    "undisturbed": None,
    "ingestion": ("simulate_cameras/log.txt", r"\d\d of 300"),
    "training": ("train/log.txt", "epoch 2/"),
    "deployment": ("train/log.txt", r"Executing task .*deploy-model"),
}
# The loop up to the served model, with a short training.
LOOP = """
import sys
from pipelines.local import loop as whole
from pipelines.local.local_stack import local_stack
from pipelines.local.terminal import Terminal
with local_stack() as stack:
    story = whole.Story(whole.SIMULATED, stack, Terminal())
    story.job("Cameras", "simulate_cameras", dataset=story.dataset, frames=300)
    story.ingested()
    story.pipeline("Train", "train", {"dataset": story.dataset, "epochs": 12})
"""
GRACE_S = 5
TABLES = ("bronze.events", "silver.frames", "silver.labels", "quarantine.items")


def main() -> int:
    """Run every moment in a state folder of its own, and compare."""
    if STREAM:
        need_free_topics(STREAM)
    with TemporaryDirectory() as folder:
        ends = {name: _end(Path(folder) / name, moment) for name, moment in MOMENTS.items()}
    if STREAM:
        Admin(STREAM).delete()
    for name, end in ends.items():
        print(f"{name:12} {json.dumps(end)}")
    same = all(end == ends["undisturbed"] for end in ends.values())
    print("the same after every kill" if same else "NOT the same")
    return 0 if same else 1


def _end(state: Path, moment: tuple[str, str] | None) -> dict[str, object]:
    if STREAM:
        Admin(STREAM).fresh()
    if moment:
        _killed(state, *moment)
    subprocess.run(_command(), env=_env(state), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return {**_stored(state), "left running": _left(state)}


def _killed(state: Path, log: str, words: str) -> None:
    run = subprocess.Popen(_command(), env=_env(state), cwd=ROOT, stdout=subprocess.DEVNULL)
    folder, file = log.split("/")
    while not any(
        re.search(words, found.read_text(errors="replace"))
        for found in state.glob(f"runs/*-{folder}/{file}")
    ):
        if run.poll() is not None:
            raise SystemExit(f"the run ended before {words!r} was said")
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    time.sleep(GRACE_S)
    print(f"killed at {words!r}; left running after {GRACE_S} s: {_left(state)}", flush=True)


def _command() -> list[str]:
    return [sys.executable, "-c", LOOP]


def _env(state: Path) -> dict[str, str]:
    return {**os.environ, "CARS_STATE": str(state), "PYTHONPATH": str(ROOT)}


def _left(state: Path) -> list[str]:
    ours = str(state)
    return [
        process.name()
        for process in psutil.process_iter(["cmdline", "environ"])
        if ours in " ".join(process.info["cmdline"] or ())
        or (process.info["environ"] or {}).get("CARS_STATE") == ours
    ]


def _stored(state: Path) -> dict[str, object]:
    import psycopg2

    with EmbeddedDatabase(state / "postgres") as database:
        connection = psycopg2.connect(database.url())
        with connection, connection.cursor() as cursor:
            rows: dict[str, object] = {}
            for table in TABLES:
                cursor.execute(f"SELECT count(*) FROM {table}")
                rows[table] = cursor.fetchall()[0][0]
            cursor.execute("SELECT version, model, snapshot FROM registry.versions")
            rows["versions"] = [
                [version, model[:12], snapshot[:12]] for version, model, snapshot in cursor
            ]
        connection.close()
    return rows


if __name__ == "__main__":
    sys.exit(main())
