"""Ingesters on a stream and a database of their own."""

from contextlib import ExitStack, closing

import pytest

from components.data.ingest_events.follow import StreamIngester
from components.shared.store.brokers import admin
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.stream import consumer
from tests.support.ingested_lake import Lake
from tests.support.stream_followers import STREAM


@pytest.fixture
def look_around_at_each_step(monkeypatch):
    monkeypatch.setattr("components.data.ingest_events.follow.REFRESH_S", 0.0)


@pytest.fixture
def followers(database, stream, object_store, look_around_at_each_step):
    """Make followers, each with connections of its own."""
    with ExitStack() as stack:

        def make(store: str = object_store) -> StreamIngester:
            return StreamIngester(
                stack.enter_context(closing(connect(database))),
                stack.enter_context(consumer(stream)),
                stack.enter_context(admin(stream)),
                Objects(store),
                STREAM,
            )

        yield make


@pytest.fixture
def lake(database):
    return Lake(database)
