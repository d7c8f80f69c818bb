import math
import socket

import httpx
import pytest
from kafka.errors import UnsupportedCodecError
from prometheus_client import REGISTRY

from components.data.ingest_events.expose import Pulse, expose
from components.data.ingest_events.meter import Meter
from components.shared.store.stream import StreamError

PROGRESS = "ingest_events_progress_timestamp_seconds"


@pytest.fixture
def exposed():
    servers = []

    def start(pulse):
        servers.append(expose(0, pulse))
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_service_that_moves_is_alive(exposed):
    assert httpx.get(f"{exposed(Pulse())}/healthz").status_code == 200


def test_a_service_that_stands_still_is_not(exposed):
    assert httpx.get(f"{exposed(Pulse(still_s=-1))}/healthz").status_code == 503


def test_an_empty_batch_is_a_sign_of_life():
    pulse = Pulse(still_s=30)
    pulse._beat_at -= 60
    Meter(pulse).count([])

    assert pulse.alive


def test_a_lag_that_is_known_is_shown(exposed):
    meter = Meter(Pulse())
    meter.show({"frames": 7.0, "predictions": 0.0}, [])

    assert 'ingest_events_lag{topic="frames"} 7.0' in httpx.get(f"{exposed(Pulse())}/metrics").text


def test_in_an_outage_the_lag_is_unknown():
    meter = Meter(Pulse())
    meter.show({"frames": 0.0}, [])
    meter.interrupted(StreamError("no Kafka answers"))

    assert math.isnan(REGISTRY.get_sample_value("ingest_events_lag", {"topic": "frames"}))


def test_progress_is_a_batch_or_nothing_to_do():
    meter = Meter(Pulse())
    meter.show({"frames": 0.0}, [])
    before = REGISTRY.get_sample_value(PROGRESS)
    meter.show({"frames": 5.0}, [])
    meter.show({"frames": float("nan")}, ["topic frames does not exist"])

    assert REGISTRY.get_sample_value(PROGRESS) == before


def test_an_outage_makes_the_service_not_ready_and_stands_in_both_answers(exposed):
    pulse = Pulse(ready_s=-1)
    url = exposed(pulse)
    assert httpx.get(f"{url}/readyz").status_code == 200
    Meter(pulse).interrupted(StreamError("no Kafka answers at kafka:9092"))

    assert httpx.get(f"{url}/readyz").status_code == 503
    for path in ("readyz", "healthz"):
        assert "no Kafka answers at kafka:9092" in httpx.get(f"{url}/{path}").text
    assert httpx.get(f"{url}/healthz").status_code == 200


def test_it_is_ready_again_when_something_was_read():
    pulse = Pulse(ready_s=-1)
    meter = Meter(pulse)
    meter.interrupted(StreamError("no Kafka answers"))
    meter.show({"frames": 3.0}, [])
    assert not pulse.ready
    meter.show({"frames": 0.0}, [])

    assert pulse.ready


def test_a_codec_that_is_not_installed_cannot_pass_by_itself(exposed):
    pulse = Pulse()
    Meter(pulse).interrupted(UnsupportedCodecError("Libraries for lz4 compression codec not found"))
    answer = httpx.get(f"{exposed(pulse)}/healthz")

    assert answer.status_code == 503
    assert "a batch is compressed with a codec that is not installed here" in answer.text


def test_a_topic_that_cannot_be_read_is_said_once_it_has_lasted(capsys, monkeypatch):
    monkeypatch.setattr("components.data.ingest_events.expose.SETTLE_S", 0.0)
    pulse = Pulse(ready_s=-1)
    for _ in range(3):
        pulse.report(["topic frames does not exist"])
    assert not pulse.ready
    pulse.report([])

    assert pulse.ready
    assert capsys.readouterr().out.splitlines() == [
        "» topic frames does not exist",
        "» no more: topic frames does not exist",
    ]


@pytest.mark.parametrize(
    ("outage", "is_alive"),
    [
        ('DATABASE_URL: FATAL: password authentication failed for user "car_ingest"', False),
        ("no Kafka answers at a:9092: the user 'a' or its password is wrong", False),
        ("DATABASE_URL: connection refused", True),
    ],
)
def test_a_wrong_password_asks_for_a_restart_after_a_while(outage, is_alive, monkeypatch):
    pulse = Pulse()
    Meter(pulse).interrupted(StreamError(outage))
    assert pulse.alive

    monkeypatch.setattr("components.data.ingest_events.expose.REFUSED_S", 0.0)
    assert pulse.alive == is_alive


def test_nothing_else_is_told(exposed):
    assert httpx.get(f"{exposed(Pulse())}/etc/passwd").status_code == 404


def test_who_connects_and_says_nothing_keeps_no_probe_waiting(exposed):
    url = exposed(Pulse())
    host, port = url.removeprefix("http://").split(":")

    with socket.create_connection((host, int(port))):
        assert httpx.get(f"{url}/healthz", timeout=2).status_code == 200


def test_an_outage_is_over_when_nothing_waits_though_another_topic_cannot_be_read():
    meter = Meter(Pulse())
    meter.interrupted(StreamError("no Kafka answers"))
    meter.count([])
    meter.show({"frames": 0.0, "predictions": math.nan}, ["topic predictions does not exist"])

    assert meter.pulse.faults == ["topic predictions does not exist"]


def test_an_outage_is_not_over_while_messages_wait_that_are_not_read():
    meter = Meter(Pulse())
    meter.interrupted(StreamError("no Kafka answers"))
    meter.count([])
    meter.show({"frames": 7.0, "predictions": 0.0}, [])

    assert meter.pulse.faults == ["no Kafka answers"]


def test_waits_begin_anew_after_a_step_that_ended_well():
    meter = Meter(Pulse())
    for _ in range(6):
        meter.interrupted(StreamError("no Kafka answers"))
    meter.count([])
    meter.show({"frames": 3.0}, [])
    assert meter.failures == 6  # nothing came of it yet

    meter.show({"frames": 0.0}, [])
    assert meter.failures == 0
