"""What HTTP stand-ins have in common: a quiet handler, and a server that listens for a while."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

POLL_S = 0.02  # a server that is told to end looks that often


class QuietHandler(BaseHTTPRequestHandler):
    """Reads bodies and sends answers; nothing is said on stderr."""

    def read_body(self) -> bytes:
        """Return what was sent with the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, status: int, content: bytes, kind: str = "application/json") -> None:
        """Answer a request whole.

        Args:
            status: HTTP status.
            content: The body.
            kind: Its content type.
        """
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class HttpServer:
    """Listens from the beginning until `stop`.

    Args:
        handler: Answers a request.
        ip: Where it listens.
        port: 0: any that is free.
    """

    def __init__(
        self, handler: type[BaseHTTPRequestHandler], ip: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._http = ThreadingHTTPServer((ip, port), handler)
        self.url = f"http://{ip}:{self._http.server_port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(POLL_S,), daemon=True
        )
        self._thread.start()

    def use_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS from the next connection on."""
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)

    def stop(self) -> None:
        """Listen no more."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answer requests while this is entered, and return the URL."""
    server = HttpServer(handler)
    try:
        yield server.url
    finally:
        server.stop()
