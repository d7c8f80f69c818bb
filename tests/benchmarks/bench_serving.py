"""Images a second that a server answers 1, 8 and 32 clients, nano at 320 px, one picture a request.

The bare runtime is ONNX Runtime in this process, one thread a core, which decodes, letterboxes
and suppresses as the server does, without HTTP. The tutorial's server is `kserve_tutorial`.
Clients, server and runtime share the cores of this machine.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

import httpx

from components.shared.contracts.model import PackageLayout
from components.shared.inference.detector import Detector
from tests.benchmarks.bench_onnx import SIZE, exported, package_of
from tests.benchmarks.bench_reading import photo
from tests.benchmarks.http_load import rate
from tests.benchmarks.table import Row, at_least
from tests.support.running_servers import Running

CLIENTS = (1, 8, 32)
SECONDS = 3.0  # of a turn
TURNS = 3
CORES = len(os.sched_getaffinity(0))


def rows() -> Iterator[Row]:
    """Measure the bare runtime and both servers in turns, for each number of clients."""
    jpeg = photo(0)
    instances = json.dumps({"instances": [{"b64": base64.b64encode(jpeg).decode()}]}).encode()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = package_of(exported("nano"), jpeg, "float32", folder)
        detector = Detector.open(layout.root)
        with _ours(layout, folder) as ours, _tutorial(layout, folder) as tutorial:
            sides = [
                lambda _: bare_rate(detector, jpeg),
                lambda clients: rate(
                    f"{ours}/v1/detect/toys", clients, SECONDS, jpeg,
                    "Content-Type: image/jpeg", "X-Log: no",
                ),
                lambda clients: rate(
                    f"{tutorial}/v1/models/toys:predict", clients, SECONDS, instances,
                    "Content-Type: application/json",
                ),
            ]  # fmt: skip
            for clients in CLIENTS:
                turns = [[side(clients) for side in sides] for _ in range(TURNS)]
                bare, mine, theirs = (median(each) for each in zip(*turns, strict=True))
                what, figure = f"served to {clients} clients", f"{mine:.0f} images/s"
                against = f"bare runtime, {CORES} threads {bare:.0f}"
                yield at_least(what, figure, against, mine / bare, 0.95 if clients > 1 else 0.3)
                against = f"kserve.Model of a tutorial {theirs:.0f}"
                yield at_least(what, figure, against, mine / theirs, 1.35 if clients > 1 else 1.0)


def bare_rate(detector: Detector, jpeg: bytes) -> float:
    """Return the images a second of the runtime alone, with a thread for each core."""
    over = time.monotonic() + SECONDS

    def work(_: int) -> int:
        count = 0
        while time.monotonic() < over:
            detector.detect_jpeg(jpeg)
            count += 1
        return count

    with ThreadPoolExecutor(CORES) as threads:
        return sum(threads.map(work, range(CORES))) / SECONDS


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
