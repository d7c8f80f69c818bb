"""The HTTP API as tests use it: served over HTTP from a thread, with what it stands on."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
from psycopg2.extensions import connection as Connection  # noqa: N812
from starlette.types import ASGIApp

from components.shared.contracts.api_key import Role, new_key
from components.shared.store.api_keys import add_key
from components.shared.store.objects import Objects
from components.shared.traffic.listen import Server, listen, port_of

DATASET = "/v1/datasets/toys"


class Gateway(NamedTuple):
    """The application, with what it stands on."""

    client: httpx.Client
    connection: Connection
    stream: str
    objects: Objects

    def key(self, *roles: Role, name: str = "north", **more: Any) -> dict[str, str]:
        """Make an API key, and return the header that holds it."""
        key, credentials = new_key(name, roles, datetime.now(UTC), **more)
        add_key(self.connection, key)
        return {"Authorization": f"Bearer {credentials}"}

    def execute(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """Run a statement as the owner of the database, and return its rows."""
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def served(app: ASGIApp) -> Iterator[httpx.Client]:
    """Serve an application over HTTP from a thread, and yield a client."""
    listener = listen("127.0.0.1", 0)
    server = Server(app, {listener: None})
    thread = threading.Thread(target=server.run_until_stopped)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    with httpx.Client(base_url=f"http://127.0.0.1:{port_of(listener)}", timeout=30) as client:
        yield client
    server.should_exit = True
    thread.join()
