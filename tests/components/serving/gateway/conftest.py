"""The HTTP API over a real database, a cluster that speaks Kafka's protocol, and a folder."""

import pytest

from components.serving.gateway.app import application
from components.serving.gateway.database import Database
from components.serving.gateway.outbox import Outbox
from components.shared.store.objects import Objects
from components.shared.store.stream import producer
from components.shared.traffic.upstream import Upstream
from pipelines.local.database import as_role
from tests.support.gateway import Gateway, served

NOWHERE = "http://127.0.0.1:9"


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
