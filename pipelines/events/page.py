"""Markdown page of the events: every field of every type, and an example."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from components.shared.contracts.cloud_events import REQUIRED_ATTRIBUTES, Envelope
from components.shared.contracts.events import KINDS, EventData
from components.shared.contracts.values import FIRST_INSTANT, LAST_INSTANT, MAX_CLASSES
from pipelines.events.examples import example

INTRODUCTION = f"""# Events

Written by `make events` from the contracts in `components/shared/contracts`; do not edit. \
Beside this page: [asyncapi.json](asyncapi.json) (AsyncAPI 3) and a JSON Schema of each type.

An event is a message on Kafka as [CloudEvents 1.0.2](https://cloudevents.io) has it, from any \
producer, in one of two content modes:

| mode | headers of the message | value of the message |
|---|---|---|
| structured | `content-type: application/cloudevents+json`, or none | one JSON object: the \
attributes and `data` |
| binary | `content-type: application/json`; each attribute as `ce_specversion`, `ce_id`, \
`ce_source`, `ce_type`, `ce_time` | `data` alone, as JSON |

* **Identity**: `source` and `id` together identify an event. It may be sent again and again: it \
is stored once. Equal `type` and `data` under another `id` are the same event too. New data under \
a `source` and `id` that came before goes to quarantine (`id_used_twice`).
* **The image first**: the bytes of a JPEG go to the object store before its `frame.captured` is \
sent, else the event goes to quarantine (`bytes_missing`).
* **Quarantine**: a message that cannot be stored is kept in `quarantine.items` with a reason and \
a sentence; its neighbours are stored. Reasons of a message: `not_json`, `not_an_event` (the \
envelope), `unknown_type`, `bad_data` (a field, also one beyond a limit below), `id_used_twice`, \
`bytes_missing`, `frame_told_otherwise` (a known image with another group or split), \
`too_many_classes` (a dataset may have {MAX_CLASSES:,}), `not_storable` (the database refuses it), \
`unreadable` (anything else).
* Unknown attributes (`subject`, `traceparent` and other extensions) are kept with the event; \
unknown fields in `data` are refused. An optional field may be left out or null. Times are \
RFC 3339 with a time zone, in the years {FIRST_INSTANT.year} to \
{LAST_INSTANT.year - 1}. A text must not hold U+0000, and is stored in Unicode's normal form C. \
Numbers are finite. A UTF-8 byte order mark is ignored.

## Attributes of every event

"""


def describe_events() -> str:
    """Return the Markdown page."""
    envelope = Envelope.model_json_schema()
    parts = [INTRODUCTION, *_table(envelope, REQUIRED_ATTRIBUTES)]
    for name, kind in KINDS.items():
        parts += _describe(name, kind)
    return "".join(parts)


def _describe(name: str, kind: type[EventData]) -> Iterator[str]:
    schema = kind.model_json_schema()
    yield f"\n## {name}\n\n{schema['description']}\n\n"
    yield f"Topic `{kind.TOPIC}`, key of the message: `{kind.KEY}`.\n\n"
    yield from _table(schema, schema["required"])
    for nested in schema.get("$defs", {}).values():
        yield f"\nEach of `boxes`. {nested['description']}\n\n"
        yield from _table(nested, nested["required"])
    yield f"\n```json\n{json.dumps(example(name), indent=2)}\n```\n"


def _table(schema: Mapping[str, Any], required: Any) -> Iterator[str]:
    yield "| field | type | | meaning |\n|---|---|---|---|\n"
    for name, field in schema["properties"].items():
        presence = "required" if name in required else "optional"
        yield f"| `{name}` | {_type(field)} | {presence} | {_meaning(field)} |\n"


def _type(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return _type(field["anyOf"][0])
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field["type"] == "array":
        return f"array of {_type(field['items']) if 'type' in field['items'] else 'objects'}"
    return f"{field['type']}{' (date-time)' if field.get('format') else ''}"


def _meaning(field: Mapping[str, Any]) -> str:
    limits = field | field.get("items", {})
    parts = [field["description"]]
    parts += [f"at least {limits['minimum']:,}"] if "minimum" in limits else []
    parts += [f"at most {limits['maximum']:,}"] if "maximum" in limits else []
    parts += [f"at most {field['maxItems']:,} of them"] if "maxItems" in field else []
    parts += [f"at most {limits['maxLength']:,} characters"] if "maxLength" in limits else []
    return "; ".join(parts).replace("|", "\\|")
