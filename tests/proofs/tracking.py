"""Track trainings on a real MLflow server, through an outage and from four processes at once.

The server is what MLflow itself ships, set up in an environment of its own on loopback with
SQLite. `make prove-tracking` runs it and prints what it saw.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

ROOT = Path(__file__).parents[2]
VERSION = "3.17.*"
STARTS_WITHIN_S = 180
GIVES_UP_WITHIN_S = 60
EPOCHS, AT_ONCE, ATTEMPTS = 60, 4, 3

# One attempt at one training, in a process of its own, as a task is.
TELL = """
import os, sys
from pathlib import Path
from components.shared.contracts.model import TrainedLayout
from components.shared.contracts.record import write_lines
from components.shared.store.tracking import Tracked, track
from components.training.train_detector.plan.history import Epoch
from components.training.train_detector.report.mlflow_run import tracked
from tests.support.search_results import info_of
root, number, epochs = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
info, layout = info_of({"mosaic": number / 10}), TrainedLayout(root)
info.write(layout.info)
line = dict(class_loss=1, box_loss=1, distance_loss=1, learning_rate=0.001, map50=0.5)
write_lines((Epoch(epoch=n, step=40 * n, loss=9 / n, **line) for n in range(1, epochs + 1)),
            layout.history)
page = root / "curves.html"
page.write_text("<p>curves</p>")
track(os.environ, *tracked(root, info, page))
more = {0: {"test/map": 0.4}}
track(os.environ, Tracked(info.lineage, metrics=more, files={"card/card.md": page}))
"""


def main() -> int:
    """Prove all and say what was seen; 0 if all is as it should be."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        program = _mlflow(folder / "venv")
        port = _free_port()
        address = f"http://127.0.0.1:{port}"
        with _server(program, folder / "store", port):
            _attempts(folder, address, epochs=EPOCHS // 2)
            good = _whole(address, EPOCHS // 2)
        good &= _outage(folder, address)
        with _server(program, folder / "store", port):
            _attempts(folder, address, epochs=EPOCHS)
            good &= _whole(address, EPOCHS)
        with _deaf() as deaf:
            good &= _outage(folder, deaf)
    print("all as it should be" if good else "NOT as it should be")
    return 0 if good else 1


def _mlflow(venv: Path) -> Path:
    if told := os.environ.get("MLFLOW_PROGRAM"):
        return Path(told)
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    python = venv / "bin/python"
    wanted = [str(uv), "pip", "install", "--quiet", "--system-certs", "--python", str(python)]
    subprocess.run([*wanted, f"mlflow=={VERSION}"], check=True)
    return venv / "bin/mlflow"


@contextmanager
def _server(program: Path, store: Path, port: int) -> Iterator[None]:
    store.mkdir(exist_ok=True)
    command = [
        str(program), "server", "--host=127.0.0.1", f"--port={port}", "--workers=1",
        f"--backend-store-uri=sqlite:///{store}/mlflow.db",
        f"--artifacts-destination={store}/artifacts",
    ]  # fmt: skip
    quiet = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (store / "log.txt").open("ab") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env={**os.environ, **quiet}
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", store / "log.txt")
            yield
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()


def _wait(url: str, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise SystemExit(f"the server did not start:\n{log.read_text()[-2000:]}")


def _attempts(folder: Path, address: str, epochs: int) -> None:
    """Let four trainings be told of at once, three times each."""
    for _ in range(ATTEMPTS):
        tellers = [_tell(folder / str(n), address, n, epochs) for n in range(AT_ONCE)]
        for teller in tellers:
            words, _ = teller.communicate()
            if teller.returncode or "not tracked" in words:
                raise SystemExit(words)


def _tell(folder: Path, address: str, number: int, epochs: int) -> "subprocess.Popen[str]":
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "MLFLOW_TRACKING_URI": address, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", TELL, folder, str(number), str(epochs)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip


def _whole(address: str, epochs: int) -> bool:
    """Whether there is one run a training, with each number once, and all files."""
    from mlflow import MlflowClient

    client = MlflowClient(address)
    experiments = [found for found in client.search_experiments() if found.name == "toys"]
    runs = client.search_runs([found.experiment_id for found in experiments])
    steps = [
        sorted(metric.step for metric in client.get_metric_history(run.info.run_id, "train/loss"))
        for run in runs
    ]
    files = {
        file.path
        for run in runs
        for part in ("training", "card")
        for file in client.list_artifacts(run.info.run_id, part)
    }
    print(
        f"{AT_ONCE} trainings told {ATTEMPTS} times at once: {len(experiments)} experiment, "
        f"{len(runs)} runs, {sorted({len(each) for each in steps})} losses each, "
        f"{len(files)} files, {len(runs[0].data.params) if runs else 0} parameters"
    )
    return (
        len(experiments) == 1
        and len(runs) == AT_ONCE
        and all(each == [40 * n for n in range(1, epochs + 1)] for each in steps)
        and all(run.data.metrics["test/map"] == 0.4 for run in runs)
        and len(files) == 4
        and all(run.info.status == "FINISHED" for run in runs)
    )


def _outage(folder: Path, address: str) -> bool:
    """Whether a training goes on, with a sentence, where nobody answers."""
    began = time.monotonic()
    words, _ = (teller := _tell(folder / "outage", address, 9, 3)).communicate()
    took = time.monotonic() - began
    said = [line for line in words.splitlines() if "MLflow tracking skipped" in line]
    print(f"nobody answers: exit code {teller.returncode}, {took:.0f} s, {said[0][:110]}")
    return teller.returncode == 0 and len(said) == 2 and took < 2 * GIVES_UP_WITHIN_S


@contextmanager
def _deaf() -> Iterator[str]:
    """Listen, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
