"""The scenario of senders that never saw this code: four clients, two modes of CloudEvents."""

import asyncio
import copy
import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer
from kafka import KafkaProducer

from components.store.objects import Objects, digest_bytes, frame_key
from tests.proofs.kafka.place import Place
from tests.proofs.kafka.table import Check, equal, stated

SOON_S = 90.0
BOM = "\ufeff".encode()
JPEG = b"\xff\xd8 as far as anyone looks here"
SHA256 = digest_bytes(JPEG)
BOX = {"x_min": 10, "y_min": 20, "x_max": 110, "y_max": 90, "label": "car"}
# Written as a stranger would: whole numbers, milliseconds in times, nothing that is optional.
DATA: Mapping[str, tuple[str, dict[str, Any]]] = {
    "dataset.declared": ("frames", {"classes": ["car"]}),
    "frame.captured": (
        "frames",
        {
            "width": 640, "height": 480, "size_bytes": len(JPEG), "camera": "north",
            "captured_at": "2026-11-01T12:00:00.000Z", "source_name": "a.jpg", "group": "clip 1",
        },
    ),
    "frame.labelled": (
        "frames",
        {
            "sha256": SHA256, "width": 640, "height": 480, "boxes": [BOX], "labelled_by": "ann",
            "tool": "pencil", "labelled_at": "2026-11-01T13:00:00.000+01:00",
        },
    ),
    "prediction.made": (
        "predictions",
        {
            "sha256": SHA256, "request_id": "r1", "camera": "north", "model": "0" * 64,
            "width": 640, "height": 480, "boxes": [{**BOX, "score": 1}], "latency_ms": 9,
            "predicted_at": "2026-11-01T12:00:00Z",
        },
    ),
}  # fmt: skip


class Sent(NamedTuple):
    """A message as it goes to a client."""

    topic: str
    headers: dict[str, str]
    body: bytes


Send = Callable[[str, list[Sent]], None]


def outsiders(place: Place) -> Iterator[Check]:
    """Hand-made events of each client in each mode are stored, those sent twice once."""
    clients = {name: send for name, send in CLIENTS.items() if send is not by_kcat or _kcat()}
    uri = Objects(place.objects.as_uri()).put(frame_key(SHA256), JPEG)
    jpeg = {"uri": uri, "sha256": SHA256}
    for name, send in clients.items():
        for mode in (structured, binary):
            messages = [
                message
                for kind, (topic, data) in DATA.items()
                for message in _variants(mode, kind, topic, _of(name, mode, kind, data, jpeg))
            ]
            send(place.servers, messages + messages)
    ingester = place.ingester("--until-caught-up")
    code = ingester.ends_within(SOON_S)
    for name in clients:
        for mode in (structured, binary):
            stored = place.lake.events(_dataset(name, mode))
            expected = len(DATA) * len(VARIANTS)
            what = f"{expected} hand-made events by {name}, {mode.__name__} mode, stored"
            yield equal(what, stored, expected)
    yield equal("of these in quarantine", place.lake.quarantined(), {})
    yield equal("exit code", code, 0)
    if not _kcat():
        yield stated("hand-made events by kcat", "skipped: kcat is not installed")


def _of(
    client: str, mode: Callable[..., Sent], kind: str, data: dict[str, Any], jpeg: dict[str, str]
) -> dict[str, Any]:
    known = {**data, "dataset": _dataset(client, mode)}
    return {**known, **jpeg} if kind == "frame.captured" else known


def _dataset(client: str, mode: Callable[..., Sent]) -> str:
    return f"{client}-{mode.__name__}"


VARIANTS: tuple[dict[str, str], ...] = (
    {},
    {"time": "2026-11-01T12:00:00.000Z"},
    {"subject": "a.jpg", "traceparent": f"00-{'1' * 32}-{'2' * 16}-01"},
)


def _variants(
    mode: Callable[..., Sent], kind: str, topic: str, data: dict[str, Any]
) -> Iterator[Sent]:
    for number, more in enumerate(VARIANTS):
        own = copy.deepcopy(data) | _OWN[kind](str(number))
        envelope = {
            "specversion": "1.0", "id": str(uuid.uuid4()), "source": "https://example.com/a",
            "type": kind, "time": "2026-11-01T12:00:00Z", **more,
        }  # fmt: skip
        yield mode(topic, envelope, own, bom=number == 1)


# Equal content is one event, whatever its id.
_OWN: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "dataset.declared": lambda number: {"classes": ["car", f"kind {number}"]},
    "frame.captured": lambda number: {"camera": f"camera {number}"},
    "frame.labelled": lambda number: {"labelled_by": f"ann {number}"},
    "prediction.made": lambda number: {"request_id": f"request {number}"},
}


def structured(topic: str, envelope: dict[str, str], data: dict[str, Any], bom: bool) -> Sent:
    """Return a message whose value is the whole event."""
    body = json.dumps({**envelope, "datacontenttype": "application/json", "data": data}, indent=1)
    headers = {"content-type": "application/cloudevents+json; charset=UTF-8"}
    return Sent(topic, headers, (BOM if bom else b"") + body.encode())


def binary(topic: str, envelope: dict[str, str], data: dict[str, Any], bom: bool) -> Sent:
    """Return a message whose value is the data, and whose headers are the rest."""
    headers = {f"ce_{name}": text for name, text in envelope.items()}
    body = json.dumps(data).encode()
    return Sent(topic, {**headers, "content-type": "application/json"}, body)


def by_confluent(servers: str, messages: list[Sent]) -> None:
    """Send with confluent-kafka."""
    producer = Producer({"bootstrap.servers": servers})
    for message in messages:
        producer.produce(message.topic, message.body, headers=list(message.headers.items()))
    assert producer.flush(SOON_S) == 0


def by_kafka_python(servers: str, messages: list[Sent]) -> None:
    """Send with kafka-python."""
    producer = KafkaProducer(bootstrap_servers=servers)
    for message in messages:
        headers = [(name, text.encode()) for name, text in message.headers.items()]
        producer.send(message.topic, message.body, headers=headers).get(SOON_S)
    producer.close()


def by_aiokafka(servers: str, messages: list[Sent]) -> None:
    """Send with aiokafka."""

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
            for message in messages:
                headers = [(name, text.encode()) for name, text in message.headers.items()]
                await producer.send_and_wait(message.topic, message.body, headers=headers)

    asyncio.run(send())


def by_kcat(servers: str, messages: list[Sent]) -> None:
    """Send with kcat, one message a call, whose value is a file as it stands."""
    for message in messages:
        headers = [f"-H{name}={text}" for name, text in message.headers.items()]
        with NamedTemporaryFile() as file:
            Path(file.name).write_bytes(message.body)
            command = ["kcat", "-P", "-b", servers, "-t", message.topic, *headers, file.name]
            subprocess.run(command, check=True, timeout=SOON_S)


CLIENTS: dict[str, Send] = {
    "confluent-kafka": by_confluent,
    "kafka-python": by_kafka_python,
    "aiokafka": by_aiokafka,
    "kcat": by_kcat,
}


def _kcat() -> bool:
    return shutil.which("kcat") is not None
