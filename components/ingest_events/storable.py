"""Finds values that PostgreSQL cannot hold, before a batch is written.

The limits are those of the events' JSON Schemas. A batch with a value above them would have to
be rolled back and halved until the one message is found.
"""

import re
from functools import cache
from itertools import chain
from typing import Any

from components.contracts.cloud_events import Envelope
from components.contracts.events import EventData, ParsedEvent

# U+0000 as JSON spells it; an even number of backslashes before it are pairs that stand for one.
NUL_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def find_unstorable(parsed: ParsedEvent) -> str | None:
    """Return a sentence on a value that the database cannot hold, or None.

    Args:
        parsed: What was read.
    """
    if _holds_nul(parsed.content) or _envelope_holds_nul(parsed.envelope):
        return "a text holds U+0000, expected none"
    return _find_too_large(parsed.data)


def _find_too_large(data: EventData) -> str | None:
    for name, limit in limits_of(type(data)):
        value = getattr(data, name)
        size = value if isinstance(value, int) else _length(value)
        if size > limit:
            unit = "" if isinstance(value, int) else " characters long"
            return f"{name} is {size:,}{unit}, expected at most {limit:,}"
    return None


@cache
def limits_of(kind: type[EventData]) -> tuple[tuple[str, int], ...]:
    """Return each field of a type that has an upper limit, and the limit.

    >>> from components.contracts.events import FrameLabelled
    >>> limits_of(FrameLabelled)
    (('width', 2147483647), ('height', 2147483647))
    """
    properties: dict[str, dict[str, Any]] = kind.model_json_schema()["properties"]
    found = {name: _limit(schema) for name, schema in properties.items()}
    return tuple((name, limit) for name, limit in found.items() if limit is not None)


def _limit(schema: dict[str, Any]) -> int | None:
    items = schema.get("items", {})
    limit = schema.get("maximum", schema.get("maxLength", items.get("maxLength")))
    return None if limit is None else int(limit)


def _length(value: str | tuple[str, ...]) -> int:
    return len(value) if isinstance(value, str) else max(map(len, value))


def _holds_nul(text: str) -> bool:
    return "\\u0000" in text and NUL_ESCAPE.search(text) is not None


def _envelope_holds_nul(event: Envelope) -> bool:
    if event.model_extra and "\0" in "".join(map(str, chain(*event.model_extra.items()))):
        return True
    return "\0" in event.id or "\0" in event.source
