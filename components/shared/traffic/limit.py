"""Middleware with limits on request bodies: size, time, and total size in memory.

A body is counted while it is read, so a body that is announced and never sent costs nothing.
Where all bodies together exceed the limit, the one that has been coming longest is declined: a
client that sends at once is never shut out by those that do not.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.shared.traffic.http_errors import HttpError, error_response

MAX_BODY_BYTES = {"/v1/detect": 10_000_000, "": 64_000_000}  # a JPEG; tensors as JSON are long
MAX_BODY_SECONDS = 30.0
MAX_BODIES_BYTES = 128_000_000  # of all requests that are not answered yet
TRIM_BYTES = 32_000_000  # of bodies, after which freed memory goes back to the system
TRIM_DELAY_S = 2.0
CLOSE = {"Connection": "close"}  # the rest of the body is not read

MaxBytes = Callable[[str], int]


def by_prefix(most: Mapping[str, int]) -> MaxBytes:
    """Return a function from a path to the maximum body size: that of the first matching prefix."""
    return lambda path: next(limit for prefix, limit in most.items() if path.startswith(prefix))


class BodyLimit:
    """ASGI middleware that answers 408, 413 or 503 in place of reading on.

    Args:
        app: The next application.
        most: Returns the maximum size of one body for a path, in bytes.
        total: Maximum size of all unanswered bodies together, in bytes.
        seconds: Timeout from the headers to the end of a body, in seconds.
        trim: Returns freed memory to the system; called in a thread after 32 MB of bodies.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: MaxBytes,
        total: int = MAX_BODIES_BYTES,
        seconds: float = MAX_BODY_SECONDS,
        trim: Callable[[], object] | None = None,
    ) -> None:
        self._app = app
        self._most = most
        self._total = total
        self._seconds = seconds
        self._trim = trim
        self._passed = 0  # bytes of answered bodies since memory was trimmed
        self._trims = False  # soon
        self._bodies: dict[int, _Body] = {}  # in the order of their requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the next application with a counted body; answer 413 if it announces too much."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        most = self._most(scope["path"])
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > most:
            return await error_response(scope, _too_large(most))(scope, receive, send)
        deadline = asyncio.get_running_loop().time() + self._seconds
        body = _Body(receive, most, deadline, self._seconds, self._take)
        self._bodies[id(body)] = body
        try:
            await self._app(scope, body.receive, send)
        finally:
            del self._bodies[id(body)]
            self._count_answered(body.held)

    def _take(self, body: "_Body", count: int) -> None:
        """Free memory for more bytes of a body, at the expense of the oldest one.

        Raises:
            HttpError: 503, if this body is the oldest.
        """
        while sum(other.held for other in self._bodies.values()) + count > self._total:
            oldest = next(other for other in self._bodies.values() if not other.whole)
            if oldest is body:
                raise _busy()
            oldest.give_way()

    def _count_answered(self, count: int) -> None:
        self._passed += count
        if self._trim and self._passed > TRIM_BYTES and not self._trims:
            self._trims = True
            asyncio.get_running_loop().call_later(TRIM_DELAY_S, self._trim_now, self._trim)

    def _trim_now(self, trim: Callable[[], object]) -> None:
        self._passed, self._trims = 0, False
        asyncio.get_running_loop().run_in_executor(None, trim)


@dataclass(slots=True, eq=False)
class _Body:
    """One body while it is read.

    Attributes:
        held: Bytes in memory.
        whole: Whether it was read to its end, or given up.
    """

    _receive: Receive
    _most: int
    _deadline: float
    _seconds: float
    _take: Callable[["_Body", int], None]
    held: int = 0
    whole: bool = False
    _gave_way: bool = False
    _timer: asyncio.Timeout | None = field(default=None, repr=False)

    async def receive(self) -> Message:
        """Receive a message of ASGI.

        Raises:
            HttpError: If the body is too large, too slow, or the oldest of too many.
        """
        if self._gave_way:
            raise _busy()
        if self.whole:  # the next message is the disconnect of the client
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline) as self._timer:
                message = await self._receive()
        except TimeoutError as cause:
            self.whole = True
            raise _busy() if self._gave_way else _too_slow(self._seconds) from cause
        finally:
            self._timer = None
        count = len(message.get("body", b""))
        if self.held + count > self._most:
            self.whole = True
            raise _too_large(self._most)
        self._take(self, count)
        self.held += count
        self.whole = not message.get("more_body", False)
        return message

    def give_way(self) -> None:
        """Stop reading at once; the bytes are freed when the reader has ended."""
        self.held, self.whole, self._gave_way = 0, True, True
        if self._timer:
            self._timer.reschedule(0)


def _too_large(most: int) -> HttpError:
    # The connection stays: closed, its reset could overtake this sentence on the way.
    return HttpError(413, f"the body is too large, expected at most {most:,} bytes")


def _too_slow(seconds: float) -> HttpError:
    return HttpError(408, f"the body has not come in {seconds:g} s, expected all of it", CLOSE)


def _busy() -> HttpError:
    sentence = "too many bodies are being sent at once, and this one comes too slowly: try again"
    return HttpError(503, sentence, CLOSE | {"Retry-After": "1"})
