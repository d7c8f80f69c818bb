"""Poison: what one message may hold goes to quarantine with it, and its neighbours are stored."""

import json

import pytest
from hypothesis import given

from components.data.ingest_events.copy import encode_rows
from components.data.ingest_events.parse import Parsed, Rejected, StreamMessage, parse
from components.data.ingest_events.rows import rows_of
from components.data.ingest_events.write import write
from components.shared.contracts.events import KINDS
from components.shared.contracts.messages import event_of
from components.shared.store.postgres import connect
from pipelines.events.examples import example
from tests.support.generated_events import events
from tests.support.parsed_events import AT, TIME, batch, label

SCORED = "prediction.made"


def read(message: dict) -> Parsed | Rejected:
    return parse(StreamMessage("frames", 0, 7, json.dumps(message).encode()))


def changed(name: str, **fields) -> dict:
    message = example(name)
    return message | {"data": message["data"] | fields}


def box(**edges) -> dict:
    return {"x_min": 1.0, "y_min": 1.0, "x_max": 2.0, "y_max": 2.0, "label": "car"} | edges


POISON = {
    "NaN": (changed(SCORED, latency_ms=float("nan")), "bad_data"),
    "Infinity": (changed(SCORED, latency_ms=float("inf")), "bad_data"),
    "a number that is no number": (changed(SCORED, latency_ms=10**400), "bad_data"),
    "an integer of 3,000 digits": (changed("frame.labelled", width=10**3000), "bad_data"),
    "a large width": (changed("frame.labelled", width=2**31), "bad_data"),
    "a large file": (changed("frame.captured", size_bytes=2**63), "bad_data"),
    "a long group": (changed("frame.captured", group="g" * 601), "bad_data"),
    "a long URI": (changed("frame.captured", uri="s3://" + "u" * 1024), "bad_data"),
    "a long reason": (changed("frame.refused", reason="r" * 601), "bad_data"),
    "a long class": (changed("dataset.declared", classes=["car", "c" * 601]), "bad_data"),
    "year 1969": (changed(SCORED, predicted_at="1969-12-31T23:59:59Z"), "bad_data"),
    "year 2200": (changed(SCORED, predicted_at="2200-01-01T00:00:00Z"), "bad_data"),
    "50,003 classes": (changed("dataset.declared", classes=[*map(str, range(50_003))]), "bad_data"),
    "20,000 boxes": (changed("frame.labelled", boxes=[box()] * 20_000), "bad_data"),
    "year 1": (changed(SCORED, predicted_at="0001-01-01T00:00:00+14:00"), "bad_data"),
    "year 9999": (changed(SCORED, predicted_at="9999-12-31T23:59:59-14:00"), "bad_data"),
    "NUL": (changed(SCORED, camera="a\0b"), "bad_data"),
    "NUL in a box": (changed("frame.labelled", boxes=[box(label="\\\0")]), "bad_data"),
    "NUL in an attribute": (changed(SCORED, request_id="1") | {"subject": "\0"}, "not_an_event"),
    "NUL in the id": (changed(SCORED, request_id="2") | {"id": "\0"}, "not_an_event"),
    "NUL in the source": (changed(SCORED, request_id="3") | {"source": "\0"}, "not_an_event"),
    "a lone surrogate": (changed(SCORED, camera="\ud800"), "not_json"),
    "boxes deep inside boxes": (json.loads("[" * 150 + "]" * 150), "not_an_event"),
    "a box of no area": (changed(SCORED, boxes=[box(x_max=1.0, score=1)]), "bad_data"),
    "a box outside": (changed("frame.labelled", boxes=[box(x_max=1e308)]), "bad_data"),
}


@pytest.mark.parametrize(("message", "reason"), POISON.values(), ids=POISON)
def test_a_poisoned_message_has_its_reason(message, reason):
    assert read(message).reason == reason


def test_a_number_above_all_floats_has_its_reason():
    body = json.dumps(example(SCORED)).replace("11.5", "1e999").encode()

    assert parse(StreamMessage("frames", 0, 7, body)).reason == "bad_data"


def test_a_backslash_before_u0000_is_no_nul():
    assert isinstance(read(changed(SCORED, camera="\\u0000")), Parsed)


def limit_of(schema: dict) -> int | None:
    schemas = (schema, schema.get("items", {}), *schema.get("anyOf", ()))
    return next(
        (one[key] for one in schemas for key in ("maximum", "maxLength") if key in one), None
    )


@pytest.mark.parametrize(
    ("kind", "field", "limit"),
    [
        (kind, name, limit)
        for kind in KINDS.values()
        for name, schema in kind.model_json_schema()["properties"].items()
        if (limit := limit_of(schema)) is not None
    ],
)
def test_what_is_at_its_limit_can_be_stored(kind, field, limit, database):
    value = limit if kind.model_json_schema()["properties"][field].get("maximum") else None
    texts = "".join(chr(0x10000 + n) for n in range(limit if value is None else 0))
    texts = [texts] if field == "classes" else texts
    body = json.dumps(changed(kind.TYPE, **{field: texts if value is None else value})).encode()
    connection = connect(database)

    write(connection, "s", batch(body), {AT: 0})

    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bronze.events")
        assert cursor.fetchone() == (1,)
    connection.close()


def test_poison_leaves_its_neighbours_alone_and_needs_no_second_try(database):
    bad = [json.dumps(message).encode() for message, _ in POISON.values()]
    good = [label(str(n)) for n in range(len(bad))]
    mixed = [body for pair in zip(bad, good, strict=True) for body in pair]
    connection = connect(database)

    write(connection, "s", batch(*mixed), {AT: 0})

    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bronze.events")
        assert cursor.fetchone() == (len(good),)
        cursor.execute("SELECT count(*), count(DISTINCT message) FROM quarantine.items")
        assert cursor.fetchone() == (len(bad), len(bad))
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM bronze.events")
        assert cursor.fetchone() == (1,)  # one subtransaction: no halving
    connection.close()


@given(events())
def test_copy_reads_back_what_rows_hold(data):
    reading = parse(StreamMessage("frames", 0, 7, event_of(data, "/tests", TIME).body))

    for _, row in rows_of("s", reading):
        line = encode_rows([row])
        fields = [_unescape(field) for field in line.removesuffix("\n").split("\t")]
        assert fields == [None if value is None else str(value) for value in row]


def _unescape(field: str) -> str | None:
    if field == "\\N":
        return None
    letters = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    parts = field.split("\\\\")
    for letter in "tnr":
        parts = [part.replace(f"\\{letter}", letters[letter]) for part in parts]
    return "\\".join(parts)
