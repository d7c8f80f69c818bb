"""Middleware that allows known `Host` names only, against DNS rebinding."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from components.shared.traffic.http_errors import HttpError, error_response


class HostNames:
    """ASGI middleware that answers 421 to a request for another host.

    Args:
        app: The next application.
        names: Host names and addresses without a port, in any case; None accepts any.

    Source:
        RFC 9110, 7.4 and 15.5.20 (misdirected request).
    """

    def __init__(self, app: ASGIApp, names: Collection[str] | None) -> None:
        self._app = app
        self._names = None if names is None else {name.lower().strip("[]") for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the next application if the host is known."""
        if scope["type"] == "http" and self._names is not None:
            host = host_of(Headers(scope=scope).get("host", ""))
            if host not in self._names:
                known = ", ".join(sorted(self._names))
                sentence = f"the host is {host[:80]!r}, expected one of: {known}"
                return await error_response(scope, HttpError(421, sentence))(scope, receive, send)
        return await self._app(scope, receive, send)


def host_of(header: str) -> str:
    """Return the host of a `Host` header, without its port.

    >>> [host_of(header) for header in ("Cars.example:8080", "[::1]:8080", "127.0.0.1")]
    ['cars.example', '::1', '127.0.0.1']
    """
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()
