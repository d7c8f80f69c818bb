"""Scenarios of clients: idle ones, slow ones and large ones, beside one who asks honestly."""

import json
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import httpx
import psutil

from tests.proofs.hardening.place import Place
from tests.proofs.table import Check, equal, holds, stated
from tests.support.jpegs import JPEG
from tests.support.running_servers import Running
from tests.support.tiny_packages import make_package

IDLE, STALLED, STALLED_BYTES = 1_100, 100, 9_900_000
ATTACK_S, RETURN_S = 8.0, 8.0
MAX_KEPT_MB = 64.0  # of memory that an attack took and that did not come back
JSON_NUMBERS, LARGE_NUMBERS = 2 * 3 * 320 * 320, 15_900_000

Attack = Callable[[str], list[socket.socket]]


def rude_clients(place: Place) -> Iterator[Check]:
    """A server and its reverse proxy answer the honest client, and give memory back."""
    with ExitStack() as stack:
        server = _running(stack, place, name="stable")
        candidate = _running(stack, place, "--slot", "candidate", name="candidate")
        door = _running(stack, place, job="route_requests", name="door", sides=(server, candidate))
        server.put(make_package(place.folder / "package", width=320, height=320))
        yield equal("the package is loaded", server.load().status_code, 200)
        for attack in (idle, stalled, large_tensors, too_large_tensors):
            for target in (server, door):
                yield from _attacked(attack, target)
        for one in (server, door):
            yield equal(f"{one.name} runs", one.process.poll(), None)
            yield equal(f"tracebacks of {one.name}", one.log.read_text().count("Traceback"), 0)


def _running(stack: ExitStack, place: Place, *options, **settings) -> Running:
    started = Running(place.folder, *options, **settings)
    stack.callback(started.stop)
    return started


def _attacked(attack: Attack, target: Running) -> Iterator[Check]:
    process = psutil.Process(target.process.pid)
    answers: list = []
    before = process.memory_info().rss / 1e6
    honest = threading.Thread(target=_ask, args=(target.url, answers))
    honest.start()
    kept = attack(target.url)
    honest.join()
    for one in kept:
        one.close()
    time.sleep(RETURN_S)
    more = process.memory_info().rss / 1e6 - before
    what = f"{attack.__name__} at {target.name}"
    failed = [status for status, _ in answers if status != 200]
    yield equal(f"{what}: honest requests that failed, of {len(answers)}", len(failed), 0)
    seconds = sorted(taken for _, taken in answers)
    figure = f"{statistics.median(seconds) * 1e3:.0f} ms, worst {seconds[-1] * 1e3:.0f} ms"
    yield stated(f"{what}: honest requests took", figure)
    limit = f"<= {MAX_KEPT_MB:g}"
    yield holds(f"{what}: memory kept, MB", f"{more:.0f}", limit, more <= MAX_KEPT_MB)


def _ask(url: str, answers: list[tuple[object, float]]) -> None:
    end = time.monotonic() + ATTACK_S
    while time.monotonic() < end:
        began = time.perf_counter()
        try:
            with httpx.Client(base_url=url, timeout=20) as client:
                status: object = client.post("/v1/detect/toys", content=JPEG).status_code
        except httpx.HTTPError as error:
            status = repr(error)
        answers.append((status, time.perf_counter() - began))


def idle(url: str) -> list[socket.socket]:
    """Connect and say nothing."""
    return [_connect(url) for _ in range(IDLE)]


def stalled(url: str) -> list[socket.socket]:
    """Send nearly all of a body, and then nothing."""
    head = f"POST /v1/detect/toys HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {10**7}\r\n\r\n"
    sockets = [_connect(url) for _ in range(STALLED)]

    def send(one: socket.socket) -> None:
        try:
            one.sendall(head.encode() + bytes(STALLED_BYTES))
        except OSError:  # the server gave up on it
            return

    _together([partial(send, one) for one in sockets])
    return sockets


def large_tensors(url: str) -> list[socket.socket]:
    """Ask with as much JSON as a request may have, four at once."""
    data = [0.123456789012345678] * JSON_NUMBERS
    tensor = {"name": "images", "shape": [2, 3, 320, 320], "datatype": "FP32", "data": data}
    body = json.dumps({"inputs": [tensor]}).encode()
    _together([lambda: _infer(url, body)] * 4)
    return []


def too_large_tensors(url: str) -> list[socket.socket]:
    """Ask with 63 MB of JSON, three times."""
    begin = b'{"inputs":[{"name":"images","shape":[1,3,320,320],"datatype":"FP32","data":['
    for _ in range(3):
        _infer(url, begin + b"0.5," * LARGE_NUMBERS + b"0.5]}]}")
    return []


def _infer(url: str, body: bytes) -> None:
    try:
        httpx.post(f"{url}/v2/models/toys/infer", content=body, timeout=60)
    except httpx.HTTPError:  # the server closed the connection
        return


def _connect(url: str) -> socket.socket:
    address = httpx.URL(url)
    return socket.create_connection((address.host, address.port or 80))


def _together(work: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
