"""The reverse proxy as a process of its own: what its command line says is what clients meet."""

import time
from functools import partial

import pytest

from components.shared.inference.package_store import TrafficLease
from tests.support.running_servers import Running

OPTIONS = ("--host-names", "cars.example, Detector.example", "--candidate-seconds", "0.1")


@pytest.fixture(scope="module")
def door(tmp_path_factory, standing_doorway):
    """A door between the two scripted servers."""
    sides = ("--stable", standing_doorway.stable.url, "--candidate", standing_doorway.candidate.url)
    running = Running(tmp_path_factory.mktemp("door"), *OPTIONS, *sides, job="route_requests")
    yield running
    running.stop()


@pytest.fixture
def ask(door, doorway):
    """Ask it for the boxes of a picture."""
    return partial(door.detect, b"jpeg")


@pytest.mark.parametrize(
    "host", ["cars.example", "detector.example:8080", "127.0.0.1", "localhost", "[::1]:80"]
)
def test_a_request_by_a_name_that_was_told_or_of_loopback_is_answered(ask, host):
    assert ask(host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "cars.example.evil.example", "10.0.0.7", ""])
def test_a_request_by_another_name_is_refused_with_the_names_that_were_told(ask, doorway, host):
    refused = ask(host=host)

    assert refused.status_code == 421
    assert f"the host is {host!r}, expected one of: 127.0.0.1, ::1, cars.example" in refused.text
    assert doorway.stable.requests == []


def test_a_candidate_that_takes_longer_than_was_told_does_not_answer(ask, door, doorway):
    doorway.candidate.delay = 0.3
    door.package_store.set_current("toys", "b" * 64, "candidate")
    door.package_store.set_traffic(
        "toys", TrafficLease(percent=100, model="b" * 64, until=time.time() + 60)
    )

    answer = ask()

    assert answer.json()["model"] == "a" * 64
    assert len(doorway.candidate.requests) == 1
