"""The front door as a process: `python -m components route_requests`."""

import argparse
import logging
import os
import socket
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from components.inference.shelf import Shelf
from components.route_requests.door import FrontDoor
from components.route_requests.side import Side

STABLE_SECONDS = 60.0
CANDIDATE_SECONDS = 2.0  # then the client has waited long enough, and the stable server answers
KEPT_SECONDS = 75  # that a client's connection may rest, longer than most clients keep it

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> None:
    """Split the requests between two detector servers until SIGTERM."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stable = Side(options.stable, STABLE_SECONDS, attempts=3)
    candidate = Side(options.candidate, options.candidate_seconds, attempts=1)
    door = FrontDoor(Shelf(options.model_root), stable, candidate)
    config = uvicorn.Config(
        door.app, host=options.host, port=options.http_port, access_log=False,
        log_level="warning", timeout_keep_alive=KEPT_SECONDS, timeout_graceful_shutdown=10,
    )  # fmt: skip
    _Announced(config, options.port_file).run()


class _Announced(uvicorn.Server):
    """Says, once it is true, where it listens."""

    def __init__(self, config: uvicorn.Config, port_file: Path | None) -> None:
        super().__init__(config)
        self._port_file = port_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        port = self.servers[0].sockets[0].getsockname()[1]
        logger.info("answering on http://%s:%d", self.config.host, port)
        if file := self._port_file:
            fresh = file.with_name(f"{file.name}.{os.getpid()}")
            fresh.write_text(f"{port}\n")
            fresh.replace(file)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m components route_requests", description=main.__doc__
    )
    parser.add_argument("--stable", required=True, help="URL of the server in service")
    parser.add_argument("--candidate", required=True, help="URL of the candidates' server")
    parser.add_argument("--model-root", default=os.environ.get("MODEL_ROOT"), type=Path,
                        help="folder that says who gets what share (or MODEL_ROOT)")  # fmt: skip
    parser.add_argument("--http-port", default=8080, type=int, help="0 for any free one")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container")
    parser.add_argument("--port-file", type=Path, help="the port is written here once it listens")
    parser.add_argument("--candidate-seconds", default=CANDIDATE_SECONDS, type=float,
                        help="then the stable server answers instead")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.model_root is None:
        parser.error("--model-root or MODEL_ROOT is needed")
    return options
