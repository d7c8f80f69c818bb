"""What Kubernetes and Prometheus may ask of the ingester: whether it moves, and how far it is."""

import threading
import time
from collections.abc import Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import Counter, Gauge, make_wsgi_app

STILL_S = 120.0  # without a sign of life; longer than any wait between two attempts

STORED = Counter("ingest_events", "Messages that were taken from the stream", ["outcome"])
LAG = Gauge("ingest_events_lag", "Messages of the stream that are not stored yet")


class Pulse:
    """When the service last showed that it moves, be it only to say that nothing answers."""

    def __init__(self, still_s: float = STILL_S) -> None:
        """Begin alive."""
        self._still_s = still_s
        self.beat()

    def beat(self) -> None:
        """Show a sign of life."""
        self._beat_at = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether there was one lately."""
        return time.monotonic() - self._beat_at < self._still_s


class _Server(ThreadingMixIn, WSGIServer):
    """Whoever connects and says nothing keeps no one else waiting."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = 5

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, the library's own name
        """Say nothing of each probe."""


def expose(port: int, pulse: Pulse) -> WSGIServer:
    """Answer `/metrics` (Prometheus) and `/healthz` (200 or 503) from a thread of its own.

    Args:
        port: Where to listen, on every address; 0 takes any free one.
        pulse: Whether the service is alive.

    Returns:
        The server; `shutdown` ends it.
    """
    metrics = make_wsgi_app()

    def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            found: Iterable[bytes] = metrics(environ, start_response)
            return found
        known = environ["PATH_INFO"] == "/healthz"
        status = ("200 OK" if pulse.alive else "503 Standing still") if known else "404 Not Found"
        start_response(status, [("Content-Type", "text/plain")])
        return [f"{status[4:]}\n".encode()]

    server = make_server("", port, answer, server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
