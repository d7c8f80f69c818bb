import socket
from datetime import UTC, datetime

import pytest

from components.shared.contracts.events import FRAMES_TOPIC, DatasetDeclared
from components.shared.contracts.messages import parse_event
from components.shared.store import brokers
from components.shared.store import stream as kafka
from components.shared.store.brokers import StreamSettingsError
from components.shared.store.stream import StreamError
from components.shared.store.topics import high_watermarks
from pipelines.local.stream import EmbeddedStream
from tests.support.read_topic import read_topic

TIME = datetime(2024, 5, 1, tzinfo=UTC)
DECLARED = DatasetDeclared(dataset="highway", classes=("car",))


@pytest.fixture
def impatient(monkeypatch):
    """Give up within a second."""
    monkeypatch.setattr(brokers, "CONNECT_MS", 300)
    monkeypatch.setattr(kafka, "DELIVER_MS", 600)


def test_what_is_published_can_be_read_as_the_event_it_was(stream):
    with kafka.producer(stream) as producer:
        kafka.publish(producer, DECLARED, "/tests", TIME)

    assert [parse_event(message)[1] for message in read_topic(stream, FRAMES_TOPIC)] == [DECLARED]


def test_the_high_watermarks_count_what_was_published(stream):
    with kafka.producer(stream) as producer:
        for _ in range(5):
            kafka.publish(producer, DECLARED, "/tests", TIME)

    assert sum(high_watermarks(stream).values()) == 5


def test_a_topic_that_does_not_exist_has_no_watermarks_and_is_not_made(stream):
    assert high_watermarks(stream, ["nowhere"]) == {}
    assert high_watermarks(stream, ["nowhere"]) == {}


def test_a_message_that_is_not_delivered_is_raised_at_the_flush(tmp_path, impatient):
    with EmbeddedStream(tmp_path) as cluster:
        producer = kafka.producer(cluster.bootstrap_servers)
        kafka.publish(producer, DECLARED, "/tests", TIME)
        producer.flush()
    kafka.publish(producer, DECLARED, "/tests", TIME)

    with pytest.raises(StreamError, match="1 messages not delivered"):
        producer.flush()
    producer.close()


def test_a_message_that_is_not_delivered_is_raised_when_the_context_ends(tmp_path, impatient):
    with EmbeddedStream(tmp_path) as cluster:
        producer = kafka.producer(cluster.bootstrap_servers)
        kafka.publish(producer, DECLARED, "/tests", TIME)
        producer.flush()

    with pytest.raises(StreamError), producer:
        kafka.publish(producer, DECLARED, "/tests", TIME)


def test_the_stream_is_named_by_its_cluster_unless_a_name_is_given(stream):
    assert kafka.stream_id(stream)
    assert kafka.stream_id(stream, "life-7") == "life-7"


def test_nobody_at_an_address_is_said_by_producer_and_consumer_alike(impatient):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        producer = kafka.producer(address)

        with pytest.raises(StreamError, match=f"no Kafka answers at {address}"):
            kafka.consumer(address)
        with pytest.raises(StreamError, match="no Kafka takes messages"):
            kafka.publish(producer, DECLARED, "/tests", TIME)
        producer.close()


def test_a_user_is_told_to_the_brokers_as_the_environment_says():
    environment = {
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SSL_CA_FILE": "/ca.pem",
        "KAFKA_SASL_USERNAME": "ingester", "KAFKA_SASL_PASSWORD": "secret",
    }  # fmt: skip

    assert brokers.security(environment) == {
        "security_protocol": "SASL_SSL", "ssl_cafile": "/ca.pem",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ingester", "sasl_plain_password": "secret",
    }  # fmt: skip


@pytest.mark.parametrize("missing", ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"])
def test_a_user_without_a_name_or_password_is_refused(missing):
    environment = {
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_USERNAME": "ingester", "KAFKA_SASL_PASSWORD": "secret",
    }  # fmt: skip
    del environment[missing]

    with pytest.raises(StreamSettingsError, match=missing):
        brokers.security(environment)


def test_an_encrypted_connection_is_really_tried(stream, impatient, monkeypatch):
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SSL")

    with pytest.raises(StreamError, match="no Kafka answers"):
        kafka.stream_id(stream)  # the embedded cluster speaks no TLS
