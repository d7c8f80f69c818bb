"""A body is counted while it comes in, and never kept beyond what its route allows."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.traffic.declined import Declined
from components.traffic.metrics import DECLINED

MOST_BYTES = {"/v1/detect": 10_000_000, "": 64_000_000}  # a JPEG; tensors as JSON are long


class BodyLimit:
    """ASGI middleware that answers 413.

    Args:
        app: What comes after it.
        most: Bytes that a path that begins with the key may take; the first key that fits.
    """

    def __init__(self, app: ASGIApp, most: dict[str, int]) -> None:
        """Keep both."""
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on whose length is not known to be too large, and count it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        most = next(most for prefix, most in self._most.items() if scope["path"].startswith(prefix))
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdigit() and int(announced) > most:
            DECLINED.labels(status=413).inc()
            return await JSONResponse({"error": _sentence(most)}, 413)(scope, receive, send)
        return await self._app(scope, _counted(receive, most), send)


def _counted(receive: Receive, most: int) -> Receive:
    """Return a `receive` that raises once more than `most` bytes have come."""
    got = 0

    async def count() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > most:
            raise Declined(413, _sentence(most))
        return message

    return count


def _sentence(most: int) -> str:
    return f"the body is too large, expected at most {most:,} bytes"
