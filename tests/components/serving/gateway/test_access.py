"""Every route is open to the roles of one table, and to nobody without a valid API key."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from components.serving.gateway.access import ACCESS
from components.serving.gateway.rate_limit import RateLimit
from components.shared.contracts.api_key import ROLES, new_key, read_credentials
from components.shared.contracts.errors import UserError
from components.shared.store.api_keys import find_key, list_keys, revoke_key
from components.shared.traffic.http_errors import HttpError
from tests.support.gateway import DATASET

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def asked(gateway, method, path, headers):
    """Ask with an empty body: what is let in is refused for that, and for nothing before."""
    return gateway.client.request(method, path.format(dataset="toys"), headers=headers)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_call_the_routes_of_its_row_and_no_other(gateway, role):
    headers = gateway.key(role)
    refused = {
        (method, path)
        for method, path in ACCESS
        if asked(gateway, method, path, headers).status_code == 403
    }

    assert refused == {
        route for route, roles in ACCESS.items() if role != "admin" and role not in roles
    }


def test_the_table_has_a_row_for_each_route_of_the_api(gateway):
    paths = gateway.client.get("/openapi.json").json()["paths"]

    assert {(m.upper(), path) for path, methods in paths.items() for m in methods} == set(ACCESS)


def test_the_documentation_needs_no_other_host_and_no_key(gateway):
    page = gateway.client.get("/docs")
    addresses = re.findall(r'(?:src|href|url)[=:]\s*["\']([^"\']+)', page.text)

    assert page.status_code == 200
    assert addresses
    assert [address for address in addresses if "//" in address] == []
    assert [gateway.client.get(address).status_code for address in addresses] == [200] * len(
        addresses
    )


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic YTpi", "Bearer", "Bearer x", "Bearer cars_000000000000_00", "Bearer " + "é" * 9],
)
def test_a_request_without_a_valid_key_is_refused_before_its_body_is_read(gateway, authorization):
    headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
    for method, path in ACCESS:
        answer = asked(gateway, method, path, headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_secret_is_refused(gateway):
    headers = gateway.key("admin")
    wrong = {"Authorization": headers["Authorization"][:-1] + "x"}

    assert gateway.client.get("/v1/datasets", headers=headers).status_code == 200
    assert gateway.client.get("/v1/datasets", headers=wrong).status_code == 401


def test_an_expired_key_is_refused(gateway):
    headers = gateway.key("client", expires_at=datetime.now(UTC) - timedelta(seconds=1))

    assert gateway.client.get("/v1/datasets", headers=headers).status_code == 401


def test_a_revoked_key_is_refused(gateway):
    headers = gateway.key("client")
    (key,) = list_keys(gateway.connection)
    revoke_key(gateway.connection, key.key_id, NOW)

    assert gateway.client.get("/v1/datasets", headers=headers).status_code == 401


def test_a_key_for_one_dataset_does_not_open_another(gateway):
    headers = gateway.key("reviewer", datasets=("cars",))

    answer = gateway.client.get(f"{DATASET}/frames", headers=headers)
    assert answer.status_code == 403
    assert "expected one of: cars" in answer.json()["error"]
    assert gateway.client.get("/v1/datasets", headers=headers).json() == {"datasets": []}


def test_a_body_above_the_limit_of_its_key_is_refused(gateway):
    headers = gateway.key("camera", max_body_bytes=10) | {"Content-Type": "image/jpeg"}

    answer = gateway.client.post(f"{DATASET}/frames", content=b"x" * 11, headers=headers)
    assert answer.status_code == 413
    assert "at most 10 bytes" in answer.json()["error"]


def test_a_body_without_a_length_is_refused_at_the_limit_of_its_key_too(gateway):
    headers = gateway.key("camera", max_body_bytes=10) | {"Content-Type": "image/jpeg"}
    parts = (b"x" * 6 for _ in range(2))

    answer = gateway.client.post(f"{DATASET}/frames", content=parts, headers=headers)
    assert answer.status_code == 413


def test_more_requests_than_a_key_may_send_in_a_minute_are_told_when_to_come_again(gateway):
    headers = gateway.key("client", requests_per_minute=2)
    answers = [gateway.client.get("/v1/datasets", headers=headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 31


def test_a_bucket_fills_within_a_minute():
    times = iter([0, 0, 0, 29, 31])
    limit = RateLimit(lambda: next(times))

    limit.take("a", 2)
    limit.take("a", 2)
    for _ in range(2):
        with pytest.raises(HttpError):
            limit.take("a", 2)
    limit.take("a", 2)


def test_one_key_does_not_use_up_the_requests_of_another():
    limit = RateLimit(lambda: 0.0)

    limit.take("a", 1)
    limit.take("b", 1)


def test_the_database_holds_the_digest_of_a_secret_and_not_the_secret(gateway):
    text = gateway.key("client")["Authorization"]
    secret = read_credentials(text.removeprefix("Bearer ")).secret

    (row,) = gateway.execute("SELECT api_keys::text FROM gateway.api_keys")
    assert secret not in row[0]


def test_a_key_is_found_as_it_was_made(gateway):
    gateway.key("camera", "client", name="Küche", datasets=("toys", "cars"), max_body_bytes=77)

    (key,) = list_keys(gateway.connection)
    assert find_key(gateway.connection, key.key_id) == key
    assert (key.name, key.roles, key.datasets) == ("Küche", ("camera", "client"), ("toys", "cars"))


def test_a_key_that_is_not_there_cannot_be_revoked(connection):
    with pytest.raises(UserError, match="no API key 'abc'"):
        revoke_key(connection, "abc", NOW)


def test_a_key_without_a_role_is_not_made():
    with pytest.raises(UserError, match="roles"):
        new_key("north", (), NOW)
