"""The scenario of senders that never saw this code: four clients, two modes of CloudEvents."""

import copy
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from components.shared.store.objects import Objects, digest_bytes, frame_key
from tests.proofs.kafka.place import Place
from tests.proofs.table import Check, equal, stated
from tests.support.kafka_clients import CLIENTS, KCAT, Sent, by_kcat

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


def outsiders(place: Place) -> Iterator[Check]:
    """Hand-made events of each client in each mode are stored, those sent twice once."""
    clients = {name: send for name, send in CLIENTS.items() if send is not by_kcat or KCAT}
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
    if not KCAT:
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
    headers = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
    return Sent(topic, headers, (BOM if bom else b"") + body.encode())


def binary(topic: str, envelope: dict[str, str], data: dict[str, Any], bom: bool) -> Sent:
    """Return a message whose value is the data, and whose headers are the rest."""
    headers = [(f"ce_{name}", text.encode()) for name, text in envelope.items()]
    body = json.dumps(data).encode()
    return Sent(topic, [*headers, ("content-type", b"application/json")], body)
