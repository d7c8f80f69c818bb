"""Generate the AsyncAPI 3 document, JSON Schemas and the Markdown page of the events.

`make events` writes them to `manifests/events`, from the contracts.

Source: AsyncAPI 3.0.0; its Kafka bindings 0.5.0; JSON Schema 2020-12.
"""

import json
import sys
from pathlib import Path
from typing import Any

from components.shared.contracts.cloud_events import REQUIRED_ATTRIBUTES, STRUCTURED, Envelope
from components.shared.contracts.events import KINDS, TOPICS, EventData
from pipelines.events.examples import example
from pipelines.events.page import describe_events

SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
ATTRIBUTE = {"type": ["string", "boolean", "integer", "null"]}
COMPONENTS = "#/components/schemas/{model}"


def schema_of(kind: type[EventData], ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
    """Return the JSON Schema of one type of event in the structured content mode.

    Args:
        kind: Record class of the event.
        ref_template: Template of references to nested records, as in pydantic.
    """
    envelope = Envelope.model_json_schema()
    data = kind.model_json_schema(ref_template=ref_template)
    nested = data.pop("$defs", {})
    properties = envelope["properties"] | {
        "type": {"const": kind.TYPE, "description": envelope["properties"]["type"]["description"]},
        "data": data,
    }
    schema = {
        "title": kind.TYPE,
        "description": data.pop("description"),
        "type": "object",
        "properties": properties,
        "required": [*REQUIRED_ATTRIBUTES, "data"],
        "additionalProperties": ATTRIBUTE,
    }
    return schema | ({"$defs": nested} if nested else {})


def document() -> dict[str, Any]:
    """Return the AsyncAPI document: the topics and their messages."""
    schemas: dict[str, Any] = {}
    for name, kind in KINDS.items():
        schema = schema_of(kind, COMPONENTS)
        schemas |= schema.pop("$defs", {})
        schemas[name] = schema
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Car detection: events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0.2 on Kafka that ingestion stores exactly once.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": STRUCTURED,
        "channels": {topic: _channel(topic) for topic in TOPICS},
        "operations": {f"store-{topic}": _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {name: _message(name) for name in KINDS},
            "schemas": schemas,
        },
    }


def _channel(topic: str) -> dict[str, Any]:
    return {
        "address": topic,
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"}
            for name, kind in KINDS.items()
            if topic == kind.TOPIC
        },
        "bindings": {"kafka": {"topic": topic, "bindingVersion": "0.5.0"}},
    }


def _operation(topic: str) -> dict[str, Any]:
    summary = "Ingestion stores each event once; what it cannot read goes to quarantine."
    return {"action": "receive", "channel": {"$ref": f"#/channels/{topic}"}, "summary": summary}


def _message(name: str) -> dict[str, Any]:
    payload = {"$ref": f"#/components/schemas/{name}"}
    return {
        "name": name,
        "title": name,
        "contentType": STRUCTURED,
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": payload},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
        "examples": [{"name": name, "payload": example(name)}],
    }


def files() -> dict[str, str]:
    """Return the text of each published file by its name."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schemas = {f"{name}.schema.json": dialect | schema_of(kind) for name, kind in KINDS.items()}
    texts = {
        name: json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        for name, value in ({"asyncapi.json": document()} | schemas).items()
    }
    return texts | {"README.md": describe_events()}


def main(folder: Path) -> None:
    """Write all files to a folder, which is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
