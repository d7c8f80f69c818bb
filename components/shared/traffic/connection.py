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
MAX_UNREAD_SECONDS = 30.0  # until the client has read an answer
MAX_HEADER_BYTES = 65_536
CHUNK_OVERHEAD = 8  # bytes around each byte of a body that comes in chunks of one byte

_ANSWERS = {
    408: "Request Timeout", 431: "Request Header Fields Too Large", 503: "Service Unavailable"
}  # fmt: skip


def max_connections() -> int:
    """Return the maximum number of connections, within the limit of open files."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(1, min(MAX_CONNECTIONS, files - OTHER_FILES))


class Connection(HttpToolsProtocol):
    """One HTTP connection with timeouts and limits.

    If there are too many connections, the one is closed whose client has sent nothing for the
    longest time; connections whose requests are being answered stay.
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
        self._received = 0  # bytes of the current request
        self._carried = 0  # bytes of its body

    @property
    def waits(self) -> bool:
        """Whether the server waits for the client."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the header timeout, and close a connection if there are too many."""
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
        """Count bytes outside of bodies, and answer 431 if there are too many."""
        if self._in_headers and self._header_timer is None:
            self._start_header_timer()
        self._received += len(data)
        super().data_received(data)
        overhead = self._received - self._carried
        if overhead > self.max_header_bytes + CHUNK_OVERHEAD * self._carried:
            self._end(431, f"headers of more than {self.max_header_bytes:,} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, but not a trailer after a body, which no route reads.

        Args:
            name: Name of the header, in bytes.
            value: Its value, in bytes.
        """
        if self._in_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop the header timeout."""
        self._in_headers = False
        self._stop_header_timer()
        self._waits_since = self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count bytes of a body."""
        self._carried += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Reset the counts for the next request."""
        self._in_headers, self._received, self._carried = True, 0, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the header timeout for the rest of a body that no route reads."""
        self._waits_since = self.loop.time()
        if not self._in_headers and self._header_timer is None:
            self._start_header_timer()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Start the timeout of an answer that the client does not read."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.max_unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the timeout of the unread answer."""
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
        """Answer an error in place of the application, and close the connection."""
        if self.transport.is_closing():
            return
        body = f'{{"error":"{sentence}"}}'
        self.transport.write(
            f"HTTP/1.1 {status} {_ANSWERS[status]}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode()
        )
        self.transport.close()
