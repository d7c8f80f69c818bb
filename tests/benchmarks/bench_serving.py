"""Images a second that a server answers 1, 8 and 32 clients, nano at 320 px, one picture a request.

The bare runtime is ONNX Runtime in this process, one thread a core, which decodes, letterboxes
and suppresses as the server does, without HTTP. The tutorial's server is `kserve_tutorial`.
Clients, server and runtime share the cores of this machine.
"""

import base64
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from components.shared.contracts.model import PackageLayout
from components.shared.inference.detector import Detector
from tests.benchmarks.bench_onnx import SIZE, exported, package_of
from tests.benchmarks.bench_reading import photo
from tests.benchmarks.table import Row, at_least
from tests.components.serving.serve_detector.running import Running

CLIENTS = (1, 8, 32)
SECONDS = 3.0  # of a turn
TURNS = 2
CORES = len(os.sched_getaffinity(0))

Ask = Callable[[], object]


def rows() -> Iterator[Row]:
    """Measure the bare runtime, then both servers in turns with the same clients."""
    jpeg = photo(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = package_of(exported("nano"), jpeg, "float32", folder)
        bare = rate(CORES, lambda: _bare(layout, jpeg))
        with _ours(layout, folder) as ours, _tutorial(layout, folder) as tutorial:
            for clients in CLIENTS:
                turns = [
                    (rate(clients, lambda: _detect(ours, jpeg)),
                     rate(clients, lambda: _predict(tutorial, jpeg)))
                    for _ in range(TURNS)
                ]  # fmt: skip
                mine, theirs = (sum(each) / TURNS for each in zip(*turns, strict=True))
                what, figure = f"served to {clients} clients", f"{mine:.0f} images/s"
                against = f"bare runtime, {CORES} threads {bare:.0f}"
                yield at_least(what, figure, against, mine / bare, 0.5 if clients > 1 else 0.3)
                against = f"kserve.Model of a tutorial {theirs:.0f}"
                yield at_least(what, figure, against, mine / theirs, 1.0)


def rate(clients: int, connect: Callable[[], Ask]) -> float:
    """Return how many times a second some threads do what `connect` gives each of them."""
    counts, over = [0] * clients, threading.Event()
    asks = [connect() for _ in range(clients)]
    for ask in asks:
        ask()

    def work(number: int) -> None:
        while not over.is_set():
            asks[number]()
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    over.wait(SECONDS)
    done, seconds = sum(counts), time.monotonic() - began
    over.set()
    for thread in threads:
        thread.join()
    return done / seconds


def _bare(layout: PackageLayout, jpeg: bytes) -> Ask:
    detector = Detector.open(layout.root)
    return lambda: detector.detect_jpeg(jpeg)


def _detect(url: str, jpeg: bytes) -> Ask:
    client = httpx.Client(base_url=url, timeout=30)
    return lambda: client.post(
        "/v1/detect/toys", content=jpeg, headers={"X-Log": "no"}
    ).raise_for_status()


def _predict(url: str, jpeg: bytes) -> Ask:
    client = httpx.Client(base_url=url, timeout=30)
    body = {"instances": [{"b64": base64.b64encode(jpeg).decode()}]}
    return lambda: client.post("/v1/models/toys:predict", json=body).raise_for_status()


@contextmanager
def _ours(layout: PackageLayout, folder: Path) -> Iterator[str]:
    running = Running(folder)
    try:
        running.put(layout)
        running.load().raise_for_status()
        yield running.url
    finally:
        running.stop()


@contextmanager
def _tutorial(layout: PackageLayout, folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.benchmarks.kserve_tutorial"]
    with (folder / "tutorial.log").open("w") as log:
        process = subprocess.Popen(
            [*command, str(layout.model), str(port), str(SIZE)], stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            with suppress(httpx.HTTPError):
                httpx.get(f"{url}/v2/health/ready").raise_for_status()
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(15)
