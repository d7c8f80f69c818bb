"""HTTP connections with limits: time and bytes of headers, unread answers, and their number.

uvicorn alone has no timeout for the first request of a connection, nor for clients that do not
read their answers.
"""

import resource
from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_CONNECTIONS = 1_000
OTHER_FILES = 64  # open files of the process beside its connections
MAX_HEADER_SECONDS = 10.0
MAX_UNREAD_SECONDS = 30.0  # that an answer waits for its client to read it
MAX_HEADER_BYTES = 65_536
CHUNK_OVERHEAD = 8  # bytes around each byte of a body that comes in chunks of one byte

_ANSWERS = {
    408: "Request Timeout", 431: "Request Header Fields Too Large", 503: "Service Unavailable"
}  # fmt: skip


def max_connections() -> int:
    """Return how many connections this process may have: it needs files for other things."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(1, min(MAX_CONNECTIONS, files - OTHER_FILES))


class Connection(HttpToolsProtocol):
    """One connection of a client.

    Where there are too many, the one is closed whose client has kept us waiting longest, for
    headers or a body; those whose requests are being answered stay.
    """

    max_header_seconds = MAX_HEADER_SECONDS
    max_unread_seconds = MAX_UNREAD_SECONDS
    max_header_bytes = MAX_HEADER_BYTES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._most = max_connections()
        self._header_timer: TimerHandle | None = None
        self._unread_timer: TimerHandle | None = None
        self._waits_since = self.loop.time()
        self._in_headers = True
        self._received = 0  # bytes of the request that is coming
        self._carried = 0  # of these, bytes of its body

    @property
    def waits(self) -> bool:
        """Whether it is the client's turn."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for headers, and make room if there are too many connections."""
        super().connection_made(transport)
        self._start_header_timer()
        if len(self.connections) > self._most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every timer."""
        self._stop_header_timer()
        self._stop_unread_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count bytes beside those of bodies."""
        if self._in_headers and self._header_timer is None:
            self._start_header_timer()
        self._received += len(data)
        super().data_received(data)
        overhead = self._received - self._carried
        if overhead > self.max_header_bytes + CHUNK_OVERHEAD * self._carried:
            self._end(431, f"headers of more than {self.max_header_bytes:,} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, unless it stands behind a body: nobody reads it there."""
        if self._in_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop waiting for headers."""
        self._in_headers = False
        self._stop_header_timer()
        self._waits_since = self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count bytes of a body."""
        self._carried += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count from the beginning."""
        self._in_headers, self._received, self._carried = True, 0, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Give the rest of a body that nobody wants the time of headers."""
        self._waits_since = self.loop.time()
        if not self._in_headers and self._header_timer is None:
            self._start_header_timer()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not read."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.max_unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop waiting for it."""
        self._stop_unread_timer()
        super().resume_writing()

    def _make_room(self) -> None:
        kept_waiting = [
            other
            for other in self.connections
            if isinstance(other, Connection) and other is not self and other.waits
        ]
        if kept_waiting:
            min(kept_waiting, key=lambda other: other._waits_since).transport.abort()
        else:
            self._end(503, "too many connections: try again")

    def _start_header_timer(self) -> None:
        self._header_timer = self.loop.call_later(self.max_header_seconds, self._time_is_over)

    def _stop_header_timer(self) -> None:
        if self._header_timer:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_unread_timer(self) -> None:
        if self._unread_timer:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _time_is_over(self) -> None:
        self._header_timer = None
        if self._received and self._in_headers:
            self._end(408, f"the headers have not come in {self.max_header_seconds:g} s")
        else:
            self.transport.close()

    def _end(self, status: int, sentence: str) -> None:
        """Answer in place of the application, and close."""
        if self.transport.is_closing():
            return
        body = f'{{"error":"{sentence}"}}'
        self.transport.write(
            f"HTTP/1.1 {status} {_ANSWERS[status]}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode()
        )
        self.transport.close()
