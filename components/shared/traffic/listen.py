"""Run a uvicorn server on listening sockets, and write the ports to files."""

import logging
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from components.shared.contracts.errors import UserError
from components.shared.traffic.connection import Connection

BACKLOG = 2048  # connections that wait to be accepted
KEPT_SECONDS = 75  # keep-alive of idle connections, longer than that of most clients
GRACE_SECONDS = 10  # for requests that are being answered when the server is stopped

logger = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Args:
        host: Address to listen on.
        port: Port; 0 takes any free one.

    Raises:
        UserError: If the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as cause:
        why = getattr(cause, "strerror", None) or cause
        raise UserError(f"nothing can listen on {host} port {port}: {why}") from cause


def port_of(listener: socket.socket) -> int:
    """Return the port that a socket listens on."""
    port: int = listener.getsockname()[1]
    return port


class Server(uvicorn.Server):
    """Serves one application on several sockets until SIGTERM.

    Args:
        app: The application.
        listeners: Listening sockets, each with a file for its port or None.
    """

    def __init__(self, app: ASGIApp, listeners: Mapping[socket.socket, Path | None]) -> None:
        super().__init__(
            uvicorn.Config(
                app, http=Connection, ws="none", access_log=False, log_config=None,
                timeout_keep_alive=KEPT_SECONDS, timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )  # fmt: skip
        self._listeners = listeners

    def run_until_stopped(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        self.run(sockets=list(self._listeners))

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, and exit normally after a signal, instead of raising it again."""
        with self.capture_signals():
            await self._serve(sockets)
            self._captured_signals.clear()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, log the addresses, and write the ports to files."""
        await super().startup(sockets)
        if not self.started:
            return
        for listener, file in self._listeners.items():
            host, port = listener.getsockname()[:2]
            logger.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
            if file:
                _write(file, f"{port}\n")


def _write(file: Path, line: str) -> None:
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(line)
    fresh.replace(file)
