"""Serve health probes (`/healthz`, `/readyz`) and Prometheus metrics (`/metrics`)."""

import threading
import time
from collections.abc import Iterable, Sequence
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import Counter, Gauge, make_wsgi_app

from components.shared.contracts.progress import log_progress

STILL_S = 120.0  # without a sign of life; longer than any wait between two attempts
READY_S = 60.0  # how long something may be wrong before the service is not ready
REFUSED_S = 300.0  # how long a wrong password may last before a restart is asked for
AGAIN_S = 300.0  # what stays wrong is repeated so often
SETTLE_S = 5.0  # what is wrong for less, as a topic that is just being created, is not said

STORED = Counter("ingest_events", "Messages that were taken from the stream", ["outcome"])
LAG = Gauge(
    "ingest_events_lag",
    "Messages of the partitions of this ingester that are not stored yet; NaN if unknown",
    ["topic"],
)
PROGRESS = Gauge(
    "ingest_events_progress_timestamp_seconds",
    "When a batch was last stored, or nothing was waiting",
)
LOST = Counter(
    "ingest_events_lost", "Messages that the broker deleted before they were ingested", ["topic"]
)
RECREATED = Counter(
    "ingest_events_topic_recreated",
    "How often a topic was created again or set back, and read from its beginning",
    ["topic"],
)


class Pulse:
    """Heartbeat of the service, and the faults that keep it from its work.

    Args:
        still_s: Seconds without a sign of life after which it is not alive.
        ready_s: Seconds for which something may be wrong before it is not ready.
    """

    def __init__(self, still_s: float = STILL_S, ready_s: float = READY_S) -> None:
        self._still_s, self._ready_s = still_s, ready_s
        self._faults: dict[str, float] = {}  # since when
        self._logged_at: dict[str, float] = {}
        self._outage: dict[str, float] = {}  # one at most
        self._final, self._refused = "", False
        self.beat()

    def beat(self) -> None:
        """Record a heartbeat."""
        self._beat_at = time.monotonic()

    def report(self, faults: Sequence[str]) -> None:
        """Replace the present faults, and log each from time to time; a fault left out is over."""
        now = time.monotonic()
        self._faults = {fault: self._faults.get(fault, now) for fault in faults}
        for fault, since in self._faults.items():
            if now - since >= SETTLE_S and now - self._logged_at.get(fault, -AGAIN_S) >= AGAIN_S:
                self._logged_at[fault] = now
                log_progress(fault)
        for fault in self._logged_at.keys() - self._faults.keys():
            del self._logged_at[fault]
            log_progress(f"no more: {fault}")

    def wait_for(self, outage: str, final: bool = False, refused: bool = False) -> None:
        """Record an outage, during which nothing is read; the caller logs it.

        Args:
            outage: A sentence.
            final: Whether it cannot pass by itself: then the service is not alive.
            refused: Whether a restart may end it, for then a new password is read: after
                `REFUSED_S` the service is not alive.
        """
        self._outage = {outage: min(self._outage.values(), default=time.monotonic())}
        self._final = outage if final else ""
        self._refused = refused

    def resume(self) -> None:
        """Record that the outage is over."""
        self._outage, self._final, self._refused = {}, "", False

    @property
    def faults(self) -> list[str]:
        """All present faults."""
        return [*self._outage, *self._faults]

    @property
    def alive(self) -> bool:
        """Whether there was a heartbeat recently, and no restart is needed."""
        began = min(self._outage.values(), default=time.monotonic())
        refused = self._refused and time.monotonic() - began >= REFUSED_S
        return not self._final and not refused and time.monotonic() - self._beat_at < self._still_s

    @property
    def ready(self) -> bool:
        """Whether no fault has lasted long."""
        began = (*self._outage.values(), *self._faults.values())
        return self.alive and all(time.monotonic() - since < self._ready_s for since in began)


class _Server(ThreadingMixIn, WSGIServer):
    """Whoever connects and says nothing keeps no one else waiting."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = 5

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, the library's own name
        """Log nothing for each probe."""


def expose(port: int, pulse: Pulse) -> WSGIServer:
    """Answer `/metrics` (Prometheus), `/healthz` and `/readyz` (200 or 503) from a thread.

    What is wrong stands in the body of both.

    Args:
        port: Where to listen, on every address; 0 takes any free one.
        pulse: Whether the service is alive and ready.

    Returns:
        The server; `shutdown` ends it.
    """
    metrics = make_wsgi_app()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            found: Iterable[bytes] = metrics(environ, start_response)
            return found
        probes = {"/healthz": pulse.alive, "/readyz": pulse.ready}
        status, body = _status(probes.get(environ["PATH_INFO"])), pulse.faults
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return ["".join(f"{line}\n" for line in (status[4:], *body)).encode()]

    server = make_server("", port, answer, server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _status(good: bool | None) -> str:
    if good is None:
        return "404 Not Found"
    return "200 OK" if good else "503 Service Unavailable"
