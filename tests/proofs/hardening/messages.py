"""Scenarios of messages: poison of every kind between good ones, in one running service."""

import json
import re
from collections.abc import Iterator
from random import Random
from typing import Any

from confluent_kafka import Producer

from components.data.ingest_events.parse import Parsed, StreamMessage, parse
from components.data.ingest_events.wait import wait_until_ingested
from components.shared.contracts.events import FRAMES_TOPIC, PREDICTIONS_TOPIC
from components.shared.contracts.messages import event_of
from components.shared.store.objects import Objects
from pipelines.events.examples import EXAMPLES, example
from tests.proofs.hardening.place import STREAM, Place
from tests.proofs.kafka.events import TIME, label
from tests.proofs.table import Check, equal, stated

MUTATED, GOOD_EVERY, AT_ONCE = 20_000, 10, 200
SOON_S = 600.0
NUMBER = re.compile(r"(?<=:)-?\d+(\.\d+)?")
ODD_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1",
    "9" * 400,
    "2147483648",
    "0",
    "1e-999",
)
ODD_TEXTS = (
    r"\u0000", r"\ud800", "é" * 700, "e\u0301", "x" * 70_000, "../../etc/passwd", "\u202e",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2023-02-29T00:00:00Z",
)  # fmt: skip
UNREAD = ("not_json", "not_an_event", "unknown_type", "bad_data")
RAW = (
    b"", b"NaN", b"null", b"[]", b'"x"', b"{" * 10_000, b"[" * 10_000 + b"]" * 10_000,
    b"\x1f\x8b\x08\x00", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf", b" " * 900_000,
)  # fmt: skip


def mutated_messages(place: Place) -> Iterator[Check]:
    """Each mutated message is stored or in quarantine, and each good one is stored."""
    random = Random(0)
    poison = [_mutated(number, random) for number in range(MUTATED)]
    good = [
        event_of(label(number), "/proofs", TIME).body for number in range(MUTATED // GOOD_EVERY)
    ]
    producer = Producer({"bootstrap.servers": place.servers, "log_level": 0, "linger.ms": 5})
    Objects(place.objects.as_uri()).put("frames/one.jpg", b"a JPEG")  # the store is the right one
    service = place.ingester()
    for number, body in enumerate(poison):
        _send(producer, body)
        if number % GOOD_EVERY == 0:
            _send(producer, good[number // GOOD_EVERY])
        if number % AT_ONCE == 0:  # the embedded stream keeps the last 5 MB of a partition
            producer.flush(SOON_S)
            wait_until_ingested(place.lake.owner, place.servers, STREAM)
    producer.produce(PREDICTIONS_TOPIC, b"so that the topic exists")
    producer.flush(SOON_S)
    code = place.ingester("--until-caught-up").ends_within(SOON_S)
    yield equal(f"ingester of {MUTATED:,} mutated messages, exit code", code, 0)
    yield equal("the service beside it runs", service.runs, True)
    stored = place.lake.ask("SELECT count(*) FROM bronze.events WHERE data->>'dataset' = 'proof'")
    yield equal("good messages between them, stored", stored[0][0], len(good))
    events = {one.event_id for one in map(_read, poison) if isinstance(one, Parsed)}
    known = place.lake.ask("SELECT event_id FROM bronze.events WHERE data->>'dataset' <> 'proof'")
    refused = place.lake.ask("SELECT dedupe_key FROM quarantine.items")
    kept = {key for (key,) in [*known, *refused]}
    yield equal("mutated events that are nowhere", len(events - kept), 0)
    unread = 1 + sum(not isinstance(one, Parsed) for one in map(_read, poison))
    reasons = place.lake.quarantined()
    told = sum(reasons.get(reason, 0) for reason in UNREAD)
    yield equal("mutated messages that are no events, in quarantine", told, unread)
    yield equal("reasons that say a fault of ours", reasons.get("unreadable", 0), 0)
    yield stated("reasons", str(reasons))


def _read(body: bytes) -> Any:
    return parse(StreamMessage(FRAMES_TOPIC, 0, 0, body))


def _send(producer: Producer, body: bytes) -> None:
    while True:
        try:
            producer.produce(FRAMES_TOPIC, body)
            return
        except BufferError:
            producer.poll(0.1)


def _mutated(number: int, random: Random) -> bytes:
    if number < len(RAW):
        return RAW[number]
    name = random.choice(sorted(EXAMPLES))
    message = example(name)
    message["id"] = f"{name}-{number}"
    message["data"]["dataset"] = "mutated"
    text = json.dumps(message)
    for _ in range(random.randint(1, 3)):
        text = _change(text, random)
    body = text.encode("utf-8", "surrogatepass")[:900_000]
    if random.random() < 0.1:
        at = random.randrange(len(body))
        body = (
            body[:at] + random.randbytes(random.randint(0, 3)) + body[at + random.randint(0, 9) :]
        )
    return body


def _change(text: str, random: Random) -> str:
    match random.choices(range(4), (6, 6, 1, 1))[0]:
        case 0:
            numbers = list(NUMBER.finditer(text))
            if not numbers:
                return text
            chosen = random.choice(numbers)
            return text[: chosen.start()] + random.choice(ODD_NUMBERS) + text[chosen.end() :]
        case 1:
            texts = list(re.finditer(r'"[^"]{1,80}"', text))
            chosen = random.choice(texts)
            odd = random.choice(ODD_TEXTS)
            return f'{text[: chosen.start()]}"{odd}"{text[chosen.end() :]}'
        case 2:
            at, size = random.randrange(len(text)), random.randint(1, 30)
            return text[:at] + text[at + size :]
        case _:
            at, size = random.randrange(len(text)), random.randint(1, 30)
            return text[:at] + text[at : at + size] + text[at:]
