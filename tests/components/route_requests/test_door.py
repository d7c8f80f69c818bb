import itertools

import pytest

from components.route_requests import door
from components.traffic.scrape import tally_of

numbers = itertools.count()


def tallies(doorway, dataset):
    metrics = doorway.client.get("/metrics").text
    return tally_of(metrics, dataset, "stable"), tally_of(metrics, dataset, "candidate")


def test_without_a_share_the_stable_server_answers(doorway):
    assert doorway.who(20) == "a" * 20
    assert doorway.candidate.requests == []


def test_the_candidate_answers_its_share(doorway):
    doorway.lend(25)

    assert 9 <= doorway.who(40).count("b") <= 11


def test_a_share_whose_time_is_over_is_none(doorway):
    doorway.lend(100, seconds=-1)

    assert doorway.who(5) == "aaaaa"


def test_a_share_that_cannot_be_read_is_none(doorway):
    doorway.lend(100)
    (doorway.shelf.root / "toys" / "share").write_text('{"percent":100')

    assert doorway.who(5) == "aaaaa"


def fails(status, body=b'{"error":"broken"}'):
    def fault(server):
        server.reply = status, body

    return fault


def hangs(server):
    server.delay = 2.0


def hangs_up(server):
    server.hang_up = True


@pytest.mark.parametrize(
    "fault",
    [fails(500), fails(503), fails(404), fails(422), fails(200, b"no boxes"), hangs, hangs_up],
    ids=["500", "503", "404", "422", "not an answer", "hangs", "hangs up"],
)  # fmt: skip
def test_what_the_candidate_fails_the_stable_server_answers(doorway, fault):
    dataset = f"door-{next(numbers)}"
    doorway.lend(100, dataset=dataset)
    fault(doorway.candidate)

    reply = doorway.detect(dataset, b"the same body")

    stable, candidate = tallies(doorway, dataset)
    assert (reply.status_code, reply.json()["model"][0]) == (200, "a")
    assert doorway.stable.requests[-1][3] == b"the same body"
    assert (stable.requests, stable.errors) == (1, 0)
    assert (candidate.requests, candidate.errors) == (1, 1)


def test_an_answer_by_another_model_than_the_candidate_is_none(doorway):
    doorway.lend(100, model="c")

    assert doorway.who() == "a"


def test_what_both_refuse_is_the_clients_own_fault(doorway):
    dataset = f"door-{next(numbers)}"
    doorway.lend(100, dataset=dataset)
    for server in (doorway.stable, doorway.candidate):
        server.reply = 422, b'{"error":"not_a_jpeg"}'

    reply = doorway.detect(dataset)

    assert (reply.status_code, reply.json()) == (422, {"error": "not_a_jpeg"})
    assert [tally.errors for tally in tallies(doorway, dataset)] == [0, 0]


def test_boxes_and_scores_are_counted_for_who_answered(doorway):
    dataset = f"door-{next(numbers)}"
    doorway.lend(50, dataset=dataset)
    for _ in range(20):
        doorway.detect(dataset)

    stable, candidate = tallies(doorway, dataset)

    assert (stable.boxes, candidate.boxes) == (20, 20)
    assert candidate.scores == pytest.approx(10)
    assert max(candidate.latencies.values()) == 10


def test_a_stable_server_that_hangs_up_is_asked_again_and_then_told_of(doorway):
    doorway.stable.hang_up = True

    reply = doorway.detect()

    assert len(doorway.stable.requests) == 2
    assert (reply.status_code, reply.json()) == (502, {"error": "the server does not answer"})


def test_tensors_are_split_as_well(doorway):
    doorway.lend(100)

    reply = doorway.client.post("/v2/models/toys/infer", content=b"{}")

    assert (reply.status_code, len(doorway.candidate.requests)) == (200, 1)


def test_only_headers_that_servers_read_go_in_and_only_theirs_come_out(doorway):
    reply = doorway.detect(
        **{"X-Camera": "gate", "X-Request-Id": "r1", "X-Log": "no", "Authorization": "secret"}
    )

    _, _, headers, _ = doorway.stable.requests[-1]
    assert (headers["x-camera"], headers["x-request-id"], headers["x-log"]) == ("gate", "r1", "no")
    assert "authorization" not in headers
    assert "secret" not in reply.headers.values()


@pytest.mark.parametrize("path", ["/v2/models", "/v2/health/live", "/v2/models/toys/ready?x=1"])
def test_all_else_is_the_stable_servers(doorway, path):
    doorway.lend(100)

    doorway.client.get(path)

    assert [request[1] for request in doorway.stable.requests] == [path]


@pytest.mark.parametrize("verb", ["load", "unload"])
def test_nobody_loads_models_through_the_door(doorway, verb):
    reply = doorway.client.post(f"/v2/repository/models/toys/{verb}")

    assert reply.status_code == 404
    assert not doorway.stable.requests


@pytest.mark.parametrize("body", [b"x" * 101, iter([b"x" * 60] * 2)], ids=["announced", "chunks"])
def test_a_body_that_is_too_large_goes_nowhere(doorway, monkeypatch, body):
    monkeypatch.setattr(door, "MOST_BYTES", {"": 100})

    reply = doorway.detect(body=body)

    assert reply.status_code == 413
    assert not doorway.stable.requests


@pytest.mark.parametrize("name", ["..", "UPPER", "a b"])
def test_a_name_of_no_dataset_is_left_to_the_server(doorway, name):
    doorway.detect(name)

    assert not doorway.candidate.requests


def test_a_name_that_nobody_knows_is_not_counted_under_it(doorway):
    doorway.stable.reply = 404, b'{"error":"who?"}'

    doorway.detect("nobody-knows")

    assert "nobody-knows" not in doorway.client.get("/metrics").text


def test_it_says_what_is_in_force(doorway):
    doorway.lend(5)

    routes = doorway.client.get("/routes").json()

    assert routes == {
        "stable": doorway.stable.url,
        "candidate": doorway.candidate.url,
        "datasets": {"toys": {"percent": 5, "candidate": "b" * 64}},
    }
