"""Write events as messages and parse them, with a digest of the content for idempotent ingestion.

The sender's `source` and `id` identify an event, as CloudEvents has it. The reader computes
the digest: equal content is stored once, whatever the ids; our own senders use it as the id.
"""

import hashlib
from datetime import datetime
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from components.shared.contracts.cloud_events import (
    Envelope,
    Event,
    EventError,
    Headers,
    read_event,
)
from components.shared.contracts.events import KINDS, EventData
from components.shared.contracts.record import canonical, complaint, make
from components.shared.contracts.values import composed, is_composed

BEFORE_DATA, AFTER_DATA = b'{"data":', b',"datacontenttype":'  # in `Event.body`

D = TypeVar("D", bound=EventData)


class ParsedEvent(NamedTuple):
    """One parsed message.

    Attributes:
        envelope: Its attributes, as the sender wrote them.
        data: Content of the event.
        content: `data` as canonical JSON; of our own senders as it stands in the message.
        digest: SHA-256 of type and content; equal for equal content.
    """

    envelope: Envelope
    data: EventData
    content: str
    digest: str


def event_of(data: EventData, source: str, time: datetime) -> Event:
    """Wrap data in an envelope whose id is the digest of its type and content.

    Args:
        data: Content of the event.
        source: Who says it, as a URI reference such as `/cameras/north-gate`.
        time: When it happened; not part of the id.

    Raises:
        RecordError: If source or time cannot be stored.
    """
    stored, content = _spell(data)
    digest = _digest(data.TYPE, content.encode())
    fields = stored.model_dump(mode="json")
    return make(Event, data.TYPE, id=digest, type=data.TYPE, source=source, time=time, data=fields)


def parse_event(message: bytes, headers: Headers = ()) -> ParsedEvent:
    """Parse one message, or raise an error with a reason.

    Args:
        message: The message's value.
        headers: The message's headers; they hold the attributes in binary content mode.

    Raises:
        EventError: `not_json`, `not_an_event`, `unknown_type` or `bad_data`.
    """
    own = None if headers else _parse_own(message)
    return own or _parse_any(message, headers)


def _parse_own(message: bytes) -> ParsedEvent | None:
    """Read a message of our own senders, or return None.

    Its id is the digest of its data as they are spelled there: they need not be spelled again.
    """
    begin, found, rest = message.rpartition(AFTER_DATA)
    if not found or not begin.startswith(BEFORE_DATA):
        return None
    spelled = begin[len(BEFORE_DATA) :]
    content = spelled.decode(errors="replace")
    if "\\u" in content or not is_composed(content):
        return None
    try:
        envelope = Envelope.model_validate_json(b"{" + AFTER_DATA[1:] + rest)
        kind = KINDS[envelope.type]
        if envelope.id != _digest(kind.TYPE, spelled) or "data" in (envelope.model_extra or ()):
            return None
        data = kind.model_validate_json(spelled)
    except (ValidationError, KeyError):
        return None  # the full parse gives the reason
    return ParsedEvent(envelope, data, content, envelope.id)


def _parse_any(message: bytes, headers: Headers) -> ParsedEvent:
    event = read_event(message, headers)
    kind = KINDS.get(event.type)
    if kind is None:
        raise EventError("unknown_type", f"type is {event.type!r}, expected one of {list(KINDS)}")
    try:
        data, content = _spell(kind.model_validate(event.data))
    except ValidationError as cause:
        raise EventError("bad_data", f"{event.type}: {complaint(cause)}") from cause
    return ParsedEvent(event, data, content, _digest(kind.TYPE, content.encode()))


def _spell(data: D) -> tuple[D, str]:
    """Return data whose texts are in normal form C, and their canonical JSON."""
    content = canonical(data.model_dump(mode="json"))
    if is_composed(content):
        return data, content
    content = composed(content)
    return data.model_validate_json(content), content


def _digest(kind: str, content: bytes) -> str:
    # The SHA-256 of canonical([kind, data]), without spelling the data again.
    return hashlib.sha256(b'["%b",%b]' % (kind.encode(), content)).hexdigest()
