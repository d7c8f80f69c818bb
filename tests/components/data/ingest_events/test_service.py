"""What ingestion waits for, what it does not wait for, and how it ends before all is stored."""

from types import SimpleNamespace

import psycopg2
import pytest
from kafka.errors import CorruptRecordError, KafkaTimeoutError, UnsupportedCodecError

from components.data.ingest_events.expose import Pulse
from components.data.ingest_events.meter import Meter
from components.data.ingest_events.service import Places, ingest
from components.data.ingest_events.trouble import is_final, is_outage
from components.shared.contracts.events import FRAMES_TOPIC, PREDICTIONS_TOPIC
from components.shared.contracts.stopping import Stopped
from components.shared.store.brokers import StreamSettingsError
from components.shared.store.objects import Objects, StoreError
from components.shared.store.postgres import SchemaError
from components.shared.store.stream import StreamError, producer
from tests.support.ingested_lake import Lake, captured


def places(database: str, stream: str, object_store: str) -> Places:
    return Places(
        database_url=database, bootstrap_servers=stream, object_store_url=object_store, stream="s"
    )


@pytest.mark.parametrize(
    "error",
    [
        psycopg2.OperationalError(), psycopg2.errors.ReadOnlySqlTransaction(), KafkaTimeoutError(),
        SchemaError("the database lacks migrations"), StreamError("no Kafka"), StoreError("away"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_comes_back_by_itself_is_waited_for(error):
    assert is_outage(error)
    assert not is_final(error)


def test_settings_that_must_be_changed_are_not_waited_for():
    assert not is_outage(StreamSettingsError("KAFKA_SASL_USERNAME is not set"))


@pytest.mark.parametrize("error", [UnsupportedCodecError("zstd"), CorruptRecordError("at 7")])
def test_a_batch_that_can_never_be_read_ends_the_life_of_the_service(error):
    assert is_final(error)


def test_a_frame_without_bytes_that_a_fresh_installation_meets_first_does_not_stop_it_for_good(
    database, stream, object_store, monkeypatch, capsys
):
    monkeypatch.setattr("components.data.ingest_events.presence.EMPTY_STORE_S", 0.5)
    _, key, body = captured(1, Objects(object_store), stored=False)
    with producer(stream) as out:
        out.send(FRAMES_TOPIC, body, key)
        out.send(PREDICTIONS_TOPIC, b"?")

    ingest(
        places(database, stream, object_store),
        True,
        Meter(Pulse()),
        SimpleNamespace(requested=False),
    )

    assert Lake(database).reasons() == {"bytes_missing": 1, "not_json": 1}
    assert "it is empty: is it the right bucket" in capsys.readouterr().out


def test_until_caught_up_that_is_stopped_before_does_not_end_as_if_all_were_stored(
    database, stream, object_store
):
    with producer(stream) as out:
        out.send(FRAMES_TOPIC, b"?")

    with pytest.raises(Stopped):
        ingest(
            places(database, stream, object_store),
            True,
            Meter(Pulse()),
            SimpleNamespace(requested=True),
        )
