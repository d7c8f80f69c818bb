"""The short form of `make prove-kafka`: a real broker and the scenarios that matter most."""

import pytest

from pipelines.local.database import EmbeddedDatabase
from tests.proofs.kafka import connecting, keeping, outsiders, reading
from tests.proofs.kafka.brokers import Brokers
from tests.proofs.kafka.jars import FetchError, jars, missing
from tests.proofs.kafka.place import place

SCENARIOS = (
    reading.compression,
    reading.transactions,
    reading.made_anew,
    reading.beside,
    keeping.retention,
    connecting.let_in,
    outsiders.outsiders,
)

lacking = missing()
pytestmark = [
    pytest.mark.skipif(bool(lacking), reason=f"a Kafka broker needs {lacking}"),
    pytest.mark.xdist_group("kafka"),  # one broker for all
]


@pytest.fixture(scope="module")
def brokers(tmp_path_factory):
    try:
        jars("broker")
    except FetchError as cause:
        pytest.skip(f"Kafka's jars cannot be fetched here: {cause}")
    with Brokers(tmp_path_factory.mktemp("brokers")) as running:
        yield running


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    with EmbeddedDatabase(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_kafka_4_4_is_followed_as_it_is(scenario, brokers, postgres, tmp_path):
    with place(tmp_path / "place", brokers, postgres, long=False) as here:
        checks = list(scenario(here))

    assert [check.line for check in checks if check.good is False] == []
