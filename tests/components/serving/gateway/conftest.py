"""The HTTP API over a real database, a cluster that speaks Kafka's protocol, and a folder."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
import pytest

from components.serving.gateway.app import application
from components.serving.gateway.database import Database
from components.serving.gateway.outbox import Outbox
from components.shared.contracts.api_key import new_key
from components.shared.store.api_keys import add_key
from components.shared.store.objects import Objects
from components.shared.store.stream import producer
from components.shared.traffic.listen import Server, listen, port_of
from components.shared.traffic.upstream import Upstream
from pipelines.local.database import as_role

NOWHERE = "http://127.0.0.1:9"
DATASET = "/v1/datasets/toys"


class Gateway(NamedTuple):
    """The application, with what it stands on."""

    client: httpx.Client
    connection: object
    stream: str
    objects: Objects

    def key(self, *roles, name="north", **more) -> dict[str, str]:
        """Make an API key, and return the header that holds it."""
        key, credentials = new_key(name, roles, datetime.now(UTC), **more)
        add_key(self.connection, key)
        return {"Authorization": f"Bearer {credentials}"}

    def execute(self, query, values=()):
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def detector_url():
    """Address of the detector; tests that ask for boxes start one."""
    return NOWHERE


@pytest.fixture
def gateway(database, connection, stream, object_store, detector_url):
    objects, events = Objects(object_store), producer(stream)
    app = application(
        Database(as_role(database, "car_gateway")),
        Outbox(objects, events),
        Upstream(detector_url, 10, attempts=1),
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO silver.classes VALUES ('toys', 'car', 0), ('toys', 'bus', 1)")
    with served(app) as client:
        yield Gateway(client, connection, stream, objects)
    events.close(5)


@contextmanager
def served(app):
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
