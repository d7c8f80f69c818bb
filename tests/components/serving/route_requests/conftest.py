"""A reverse proxy in a thread, between two servers that answer what a test scripts."""

import contextlib
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import uvicorn

from components.serving.route_requests.proxy import CanaryProxy
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.model import DetectAnswer
from components.shared.inference.package_store import PackageStore, TrafficLease
from components.shared.traffic.upstream import Upstream

CANDIDATE_SECONDS = 0.3


def answer(model, boxes=2):
    car = ScoredBox(x_min=0, y_min=0, x_max=8, y_max=8, label="car", score=0.5)
    return DetectAnswer(
        model=model * 64, dataset="toys", request_id="r", width=64, height=64,
        boxes=(car,) * boxes, latency_ms=1,
    ).model_dump_json().encode()  # fmt: skip


class Scripted:
    """A stand-in for a detector server.

    Attributes:
        reply: Status and body of every answer.
        encoding: What it claims the body is in, if anything.
        delay: Seconds before it; `hang_up` answers nothing at all.
        requests: Method, path, headers and body of what came.
    """

    def __init__(self, model):
        self.script(model)
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body at once

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(length)
                script.requests.append((self.command, self.path, headers, body))
                time.sleep(script.delay)
                if script.hang_up:
                    self.close_connection = True
                    return
                status, body = script.reply
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Server", "secret")
                if script.encoding:
                    self.send_header("Content-Encoding", script.encoding)
                self.end_headers()
                self.wfile.write(body)
                with contextlib.suppress(BrokenPipeError):  # who hung up was too impatient
                    self.wfile.flush()

            do_GET = do_POST  # noqa: N815 (the library's names)

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def script(self, model):
        self.reply, self.delay, self.hang_up = (200, answer(model)), 0.0, False
        self.encoding = ""
        self.requests = []

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Doorway:
    """A reverse proxy, what stands behind it, and a client before it."""

    def __init__(self, root):
        self.package_store = PackageStore(root)
        self.stable, self.candidate = Scripted("a"), Scripted("b")
        stable = Upstream(self.stable.url, 5, 2)
        candidate = Upstream(self.candidate.url, CANDIDATE_SECONDS, 1)
        app = CanaryProxy(self.package_store, stable, candidate).app
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.005)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)

    def stop(self):
        self.client.close()
        self.server.should_exit = True
        self.thread.join()
        self.stable.stop()
        self.candidate.stop()

    def forget(self):
        """Let every test begin alike: nothing lent, every server well."""
        self.stable.script("a")
        self.candidate.script("b")
        shutil.rmtree(self.package_store.root, ignore_errors=True)

    def lend(self, percent, model="b", seconds=60, dataset="toys"):
        self.package_store.set_current(dataset, model * 64, "candidate")
        lease = TrafficLease(percent=percent, model=model * 64, until=time.time() + seconds)
        self.package_store.set_traffic(dataset, lease)

    def detect(self, dataset="toys", body=b"jpeg", **headers):
        return self.client.post(f"/v1/detect/{dataset}", content=body, headers=headers)

    def who(self, requests=1):
        """Return who answered, as the first letters of the models."""
        return "".join(self.detect().json()["model"][0] for _ in range(requests))


@pytest.fixture(scope="session")
def standing_doorway(tmp_path_factory):
    doorway = Doorway(tmp_path_factory.mktemp("doorway") / "models")
    yield doorway
    doorway.stop()


@pytest.fixture
def doorway(standing_doorway):
    standing_doorway.forget()
    return standing_doorway
