import socket

import httpx
import pytest
from prometheus_client import REGISTRY

from components.ingest_events.expose import Pulse, expose
from components.ingest_events.meter import Meter


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


def test_the_lag_is_told_to_prometheus(exposed):
    text = httpx.get(f"{exposed(Pulse())}/metrics").text

    assert REGISTRY.get_sample_value("ingest_events_lag") is not None
    assert "ingest_events_lag " in text


def test_nothing_else_is_told(exposed):
    assert httpx.get(f"{exposed(Pulse())}/etc/passwd").status_code == 404


def test_who_connects_and_says_nothing_keeps_no_probe_waiting(exposed):
    url = exposed(Pulse())
    host, port = url.removeprefix("http://").split(":")

    with socket.create_connection((host, int(port))):
        assert httpx.get(f"{url}/healthz", timeout=2).status_code == 200
