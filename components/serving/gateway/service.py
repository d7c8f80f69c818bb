"""Run the HTTP API: `python -m components gateway`."""

import argparse
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from components.serving.gateway.app import application
from components.serving.gateway.database import Database
from components.serving.gateway.outbox import Outbox
from components.shared.contracts.errors import UserError
from components.shared.store.objects import Objects
from components.shared.store.stream import producer
from components.shared.traffic.listen import Server, listen
from components.shared.traffic.upstream import Upstream

DETECTOR_SECONDS = 60.0
NEEDED = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "OBJECT_STORE_URL", "DETECTOR_URL")


def main(arguments: Sequence[str]) -> None:
    """Serve the API until SIGTERM.

    Raises:
        UserError: If the environment lacks an address.
    """
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO)
    for noisy in ("kafka", "httpx", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if missing := [name for name in NEEDED if not os.environ.get(name)]:
        raise UserError(f"the environment lacks {', '.join(missing)}")
    database_url, servers, store, detector = (os.environ[name] for name in NEEDED)
    events = producer(servers)
    try:
        app = application(
            Database(database_url),
            Outbox(Objects(store), events),
            Upstream(detector, DETECTOR_SECONDS, attempts=3),
        )
        listener = listen(options.host, options.http_port)
        Server(app, {listener: options.port_file}).run_until_stopped()
    finally:
        events.close(5)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m components gateway",
        description="Serve the HTTP API until SIGTERM. The environment names the services: "
        + ", ".join(NEEDED),
    )
    parser.add_argument("--http-port", default=8000, type=int, help="0 for any free one")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container")
    parser.add_argument("--port-file", type=Path, help="the port is written here once it listens")
    return parser.parse_args(arguments)
