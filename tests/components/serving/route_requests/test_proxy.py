import itertools
import json
import os

import pytest

from components.shared.traffic.scrape import request_metrics_of
from components.shared.traffic.upstream import TENSORS_AFTER, Reply

numbers = itertools.count()


def tallies(doorway, dataset):
    metrics = doorway.client.get("/metrics").text
    return request_metrics_of(metrics, dataset, "stable"), request_metrics_of(
        metrics, dataset, "candidate"
    )


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
    (doorway.package_store.root / "toys" / "share").write_text('{"percent":100')

    assert doorway.who(5) == "aaaaa"


def fails(status, body=b'{"error":"broken"}'):
    def fault(server):
        server.reply = status, body

    return fault


def hangs(server):
    server.delay = 2.0


def hangs_up(server):
    server.hang_up = True


def garbles(server):
    server.encoding = "gzip"


@pytest.mark.parametrize(
    "fault",
    [fails(500), fails(503), fails(404), fails(422), fails(200, b"no boxes"), hangs, hangs_up,
     garbles],
    ids=["500", "503", "404", "422", "not an answer", "hangs", "hangs up", "garbles"],
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


def inferred(model):
    return json.dumps({"model_name": "toys", "model_version": model * 64, "outputs": []}).encode()


@pytest.mark.parametrize(
    ("reply", "who"),
    [(inferred("b"), "b"), (inferred("c"), "a"), (b"[]", "a"), (b"no JSON", "a")],
    ids=["the candidate", "another model", "nobody", "not JSON"],
)  # fmt: skip
def test_tensors_are_the_candidates_only_if_it_made_them(doorway, reply, who):
    doorway.lend(100)
    doorway.candidate.reply, doorway.stable.reply = (200, reply), (200, inferred("a"))

    reply = doorway.client.post("/v2/models/toys/infer", content=b"{}")

    assert (reply.status_code, len(doorway.candidate.requests)) == (200, 1)
    assert reply.json()["model_version"] == who * 64


def test_who_made_binary_tensors_is_read_from_the_json_before_them():
    described = inferred("b")
    reply = Reply(200, described + b"\x00\xff", {TENSORS_AFTER: str(len(described))}, 0.1)

    assert reply.inferred_by() == "b" * 64


@pytest.mark.parametrize("status", [200, 404, 422, 500])
def test_a_name_that_nobody_knows_is_not_counted_under_it(doorway, status):
    doorway.stable.reply = status, b'{"error":"who?"}'

    doorway.client.post("/v2/models/nobody-knows/infer", content=b"{}")

    assert doorway.stable.requests
    assert "nobody-knows" not in doorway.client.get("/metrics").text


@pytest.mark.parametrize("slot", ["current", "candidate"])
def test_a_dataset_of_the_shelf_is_counted(doorway, slot):
    dataset = f"door-{next(numbers)}"
    doorway.package_store.set_current(dataset, "a" * 64, slot)

    doorway.detect(dataset)

    assert tallies(doorway, dataset)[0].requests == 1


@pytest.mark.parametrize("candidate", [500, 503, 400, 404, 413, "hangs up"])
@pytest.mark.parametrize("stable", [400, 408, 413, 415, 422])
def test_what_the_stable_server_refuses_never_counts_against_a_candidate(
    doorway, candidate, stable
):
    dataset = f"door-{next(numbers)}"
    doorway.lend(100, dataset=dataset)
    doorway.stable.reply = stable, b'{"error":"not finite"}'
    (hangs_up if candidate == "hangs up" else fails(candidate))(doorway.candidate)

    reply = doorway.detect(dataset)

    assert reply.status_code == stable
    assert [tally.errors for tally in tallies(doorway, dataset)] == [0, 0]


def test_a_candidate_that_fails_before_there_is_a_champion_is_to_blame(doorway):
    dataset = f"door-{next(numbers)}"
    doorway.lend(100, dataset=dataset)
    doorway.stable.reply = 404, b'{"error":"no model"}'
    doorway.candidate.reply = 500, b'{"error":"broken"}'

    doorway.detect(dataset)

    assert tallies(doorway, dataset)[1].errors == 1


@pytest.mark.parametrize("share", ["folder", "pipe", "nonsense"])
def test_a_share_that_is_no_file_is_none(doorway, share):
    doorway.lend(100)
    file = doorway.package_store.root / "toys" / "share"
    file.unlink()
    if share == "folder":
        file.mkdir()
    elif share == "pipe":
        os.mkfifo(file)
    else:
        file.write_bytes(b"\xff")

    assert doorway.who(2) == "aa"
