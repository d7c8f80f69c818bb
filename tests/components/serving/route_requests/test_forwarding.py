import json
from http.client import HTTPConnection

import pytest

from components.shared.traffic.limit import MAX_BODY_BYTES


@pytest.mark.parametrize("camera", ["Schöneberg".encode(), "Schöneberg".encode("latin-1")])
def test_a_header_need_not_be_ascii(doorway, camera):
    reply = doorway.client.post("/v1/detect/toys", headers={b"X-Camera": camera})

    _, _, headers, _ = doorway.stable.requests[-1]
    assert reply.status_code == 200
    assert headers["x-camera"].encode("latin-1") == camera


@pytest.mark.parametrize("given", [{}, {"X-Request-Id": ""}, {"X-Request-Id": "r1"}])
def test_both_servers_know_a_request_by_one_id(doorway, given):
    doorway.lend(100, model="c")

    doorway.detect(**given)

    ids = {server.requests[-1][2]["x-request-id"] for server in (doorway.stable, doorway.candidate)}
    assert len(ids) == 1
    assert ids == {"r1"} or len(ids.pop()) == 32


def test_only_headers_that_servers_read_go_in_and_only_theirs_come_out(doorway):
    reply = doorway.detect(
        **{"X-Camera": "gate", "X-Request-Id": "r1", "X-Log": "no", "Authorization": "secret"}
    )

    _, _, headers, _ = doorway.stable.requests[-1]
    assert (headers["x-camera"], headers["x-request-id"], headers["x-log"]) == ("gate", "r1", "no")
    assert "authorization" not in headers
    assert "secret" not in reply.headers.values()


@pytest.mark.parametrize(
    "path",
    ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models", "/v2/models/toys",
     "/v2/models/toys/ready"],
)  # fmt: skip
def test_what_tells_of_models_is_the_stable_servers(doorway, path):
    doorway.lend(100)

    doorway.client.get(path)

    assert [request[1] for request in doorway.stable.requests] == [path]


@pytest.mark.parametrize("verb", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        "/v2/repository/models/toys/load",
        "/v2/repository/models/toys/unload",
        "/v2/repository/index",
        "//x/v2/repository/models/toys/unload",
        "/x/../v2/repository/models/toys/unload",
        "/x/%2e%2e/v2/repository/models/toys/unload",
        "/v2/models/../repository/models/toys/unload",
        "/v2/models/toys%2f..%2f..%2frepository%2fmodels%2ftoys/unload",
        "/v2/models/..%3f/infer",
        "/v1/detect/..",
        "/v1/detect/UPPER",
        "/v1/detect/a%20b",
        "/v1/detect/toys%0a",
        "/v2/models/",
        "/",
    ],
)
def test_nothing_else_leads_through_the_door(doorway, path, verb):
    doorway.lend(50)
    url = doorway.client.base_url
    connection = HTTPConnection(url.host, url.port)  # it sends a path as it is

    connection.request(verb, path)
    reply = connection.getresponse()
    refused = reply.status, list(json.load(reply))
    connection.close()

    assert refused in ((404, ["error"]), (405, ["error"]))
    assert verb == "GET" or reply.status == 404
    assert not doorway.stable.requests
    assert not doorway.candidate.requests


def test_a_query_stays_before_the_door(doorway):
    doorway.detect("toys?x=1")

    assert doorway.stable.requests[-1][1] == "/v1/detect/toys"


@pytest.mark.parametrize("body", [b"x" * 101, iter([b"x" * 60] * 2)], ids=["announced", "chunks"])
def test_a_body_that_is_too_large_goes_nowhere(doorway, monkeypatch, body):
    monkeypatch.setitem(MAX_BODY_BYTES, "/v1/detect", 100)

    reply = doorway.detect(body=body)

    assert reply.status_code == 413
    assert not doorway.stable.requests


def test_it_says_what_is_in_force_and_no_address(doorway):
    doorway.lend(5)

    routes = doorway.client.get("/routes").json()

    assert routes == {"datasets": {"toys": {"percent": 5, "candidate": "b" * 64}}}


def test_an_unknown_name_is_told_which_there_are(doorway):
    doorway.package_store.set_current("gate", "a" * 64)

    reply = doorway.detect("GATE")

    assert reply.status_code == 404
    assert reply.json()["error"] == "there is no model 'GATE' here, expected one of: gate"
