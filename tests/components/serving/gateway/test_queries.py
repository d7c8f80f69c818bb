"""Predictions and frames are listed by filters, page by page, in formats for tools."""

import base64
import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as parquet
import pytest

from tests.support.gateway import DATASET

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PREDICTIONS, FRAMES = f"{DATASET}/predictions", f"{DATASET}/frames"
COUNT = 25


def cursor(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.fixture
def reviewer(gateway):
    return gateway.key("reviewer")


@pytest.fixture
def answers(gateway):
    """Answers r0 to r24, two a minute, of two cameras and models, with rising scores."""
    for number in range(COUNT):
        gateway.execute(
            "INSERT INTO silver.predictions (event_id, dataset, sha256, request_id, camera, "
            "model, width, height, boxes, latency_ms, predicted_at, max_score) "
            "VALUES (%s, 'toys', %s, %s, %s, %s, 64, 48, %s, 5, %s, %s)",
            (
                f"e{number}", "a" * 64, f"r{number}", ("north", "=south")[number % 2],
                ("b", "c")[number % 2] * 64, json.dumps([{"score": number / 100}]),
                NOON + timedelta(minutes=number // 2), number / 100,
            ),
        )  # fmt: skip


def listed(gateway, headers, path=PREDICTIONS, **query):
    answer = gateway.client.get(path, params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page):
    return [item["request_id"] for item in page["items"]]


def test_the_newest_answers_come_first(gateway, reviewer, answers):
    assert ids(listed(gateway, reviewer, limit=3)) == ["r24", "r23", "r22"]


@pytest.mark.parametrize("limit", [1, 4, 24, 25, 26])
def test_the_pages_together_are_every_row_once(gateway, reviewer, answers, limit):
    found, cursor = [], None
    while True:
        page = listed(gateway, reviewer, limit=limit, **({"cursor": cursor} if cursor else {}))
        found += ids(page)
        if (cursor := page["next"]) is None:
            break

    assert found == [f"r{number}" for number in reversed(range(COUNT))]


def test_rows_that_arrive_between_two_pages_move_none(gateway, reviewer, answers):
    first = listed(gateway, reviewer, limit=5)
    gateway.execute("UPDATE silver.predictions SET predicted_at = %s WHERE request_id = 'r24'",
                    (NOON + timedelta(hours=1),))  # fmt: skip
    second = listed(gateway, reviewer, limit=5, cursor=first["next"])

    assert ids(second) == ["r19", "r18", "r17", "r16", "r15"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"camera": "north"}, {n for n in range(COUNT) if n % 2 == 0}),
        ({"model": "c" * 64}, {n for n in range(COUNT) if n % 2}),
        ({"min_score": 0.2}, {n for n in range(COUNT) if n >= 20}),
        ({"max_score": 0.03}, {0, 1, 2, 3}),
        ({"since": "2026-05-01T12:11:00Z"}, {22, 23, 24}),
        ({"until": "2026-05-01T14:01:00+02:00"}, {0, 1}),
        ({"camera": "north", "min_score": 0.2}, {20, 22, 24}),
    ],
)
def test_a_filter_leaves_the_rows_that_fit_it(gateway, reviewer, answers, query, expected):
    assert {int(name[1:]) for name in ids(listed(gateway, reviewer, **query))} == expected


def test_frames_are_listed_too(gateway, reviewer):
    gateway.execute(
        "INSERT INTO silver.frames VALUES ('toys', %s, 'uri', 64, 48, 9, 'north', %s, 'a.jpg', "
        "'g', 'test', 'e')",
        ("a" * 64, NOON),
    )

    (item,) = listed(gateway, reviewer, FRAMES, split="test")["items"]
    assert (item["camera"], item["captured_at"]) == ("north", "2026-05-01T12:00:00+00:00")
    assert listed(gateway, reviewer, FRAMES, split="train")["items"] == []


def fetched(gateway, headers, form):
    return gateway.client.get(PREDICTIONS, params={"format": form, "limit": 2}, headers=headers)


def test_the_formats_hold_the_same_rows(gateway, reviewer, answers):
    lines = fetched(gateway, reviewer, "ndjson").text.splitlines()
    table = list(csv.DictReader(io.StringIO(fetched(gateway, reviewer, "csv").text)))
    columns = parquet.read_table(io.BytesIO(fetched(gateway, reviewer, "parquet").content))

    names = ["r24", "r23"]
    assert [json.loads(line)["request_id"] for line in lines] == names
    assert [row["request_id"] for row in table] == names
    assert columns["request_id"].to_pylist() == names
    assert columns["predicted_at"].to_pylist()[0] == NOON + timedelta(minutes=12)


def test_a_text_that_a_spreadsheet_would_run_is_quoted_in_csv(gateway, reviewer, answers):
    (_, second) = csv.DictReader(io.StringIO(fetched(gateway, reviewer, "csv").text))

    assert second["camera"] == "'=south"


def test_the_next_page_is_linked(gateway, reviewer, answers):
    link = fetched(gateway, reviewer, "csv").headers["Link"]
    address = link.removeprefix("<").partition(">")[0]

    rows = list(csv.DictReader(io.StringIO(gateway.client.get(address, headers=reviewer).text)))
    assert [row["request_id"] for row in rows] == ["r22", "r21"]


@pytest.mark.parametrize(
    "query",
    [{"cursor": "x"}, {"cursor": "bnVsbA"}, {"cursor": "é"}, {"cursor": cursor("2026-05-01", "x")},
     {"cursor": cursor("noon", "1")}, {"cursor": cursor("2026-05-01", 1)},
     {"cursor": cursor("2026-05-01", "9" * 30)}, {"cursor": cursor("2026-05-01", "\0")},
     {"limit": 0}, {"limit": 10_001}, {"since": "noon"}, {"min_score": 2}, {"format": "xml"}],
)  # fmt: skip
def test_a_value_that_is_not_allowed_is_refused(gateway, reviewer, query):
    answer = gateway.client.get(PREDICTIONS, params=query, headers=reviewer)

    assert answer.status_code == 422
    assert answer.json()["error"]
