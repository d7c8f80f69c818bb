"""Parse CloudEvents 1.0.2 from Kafka messages in the structured and the binary content mode.

Source: CloudEvents 1.0.2, JSON event format and Kafka protocol binding.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from components.shared.contracts.errors import UserError
from components.shared.contracts.record import Record, canonical, complaint
from components.shared.contracts.values import NO_NUL, Instant, Text

Headers = Sequence[tuple[str, bytes | None]]

CLOUDEVENTS = "application/cloudevents"
STRUCTURED = f"{CLOUDEVENTS}+json"
ATTRIBUTE_PREFIX = "ce_"
CONTENT_TYPE = "content-type"
REQUIRED_ATTRIBUTES = ("specversion", "id", "source", "type")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Both stand in one unique index of the lake, whose keys may have 2,704 bytes.
MAX_ID_CHARACTERS = 200
MAX_SOURCE_CHARACTERS = 400

JSON_OBJECT = TypeAdapter(dict[str, Any])

JsonMediaType = Annotated[str, StringConstraints(pattern=r"^application/([^;\s]+\+)?json\b")]


class EventError(UserError):
    """A message is no known event; `reason` is a code that can be counted."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Envelope(Record):
    """The attributes of a CloudEvent. `source` and `id` together identify the event.

    Extension attributes such as `traceparent` are accepted and kept in `model_extra`.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Text, Text | bool | int | None] = Field(init=False)

    specversion: Literal["1.0"] = Field(
        default="1.0", description="version of the CloudEvents specification"
    )
    id: str = Field(
        min_length=1,
        max_length=MAX_ID_CHARACTERS,
        pattern=NO_NUL,
        description="unique for each event of one source, such as a UUID",
    )
    type: Text = Field(description="kind of the event; it decides what `data` holds")
    source: str = Field(
        min_length=1,
        max_length=MAX_SOURCE_CHARACTERS,
        pattern=NO_NUL,
        description="who sends, as a URI reference such as /cameras/north-gate",
    )
    time: Instant | None = Field(
        default=None, description="when it happened, RFC 3339 with a time zone"
    )
    datacontenttype: JsonMediaType | None = Field(
        default="application/json", description="media type of `data`: JSON"
    )

    @property
    def extensions(self) -> dict[str, Any]:
        """The extension attributes, without those that are null: null means not set."""
        extra = self.model_extra or {}
        return {name: value for name, value in extra.items() if value is not None}


class Event(Envelope):
    """A CloudEvent: its attributes and its data."""

    data: dict[str, Any] = Field(description="what the event says")

    @property
    def body(self) -> bytes:
        """The message body in structured mode."""
        return canonical(self.model_dump(mode="json")).encode()


def read_event(body: bytes, headers: Headers = ()) -> Event:
    """Read the envelope of one message, in the content mode that its headers name.

    A message without CloudEvents headers is read as structured JSON.

    Args:
        body: The message's value; a UTF-8 byte order mark is ignored.
        headers: The message's headers.

    Raises:
        EventError: `not_json` or `not_an_event`.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        return _read_with_headers(body, headers) if headers else _read_structured(body)
    except ValidationError as cause:
        invalid = cause.errors(include_url=False)[0]["type"] == "json_invalid"
        reason = "not_json" if invalid else "not_an_event"
        raise EventError(reason, complaint(cause)) from cause
    except ValueError as cause:  # base64, or a header that is no UTF-8
        raise EventError("not_an_event", str(cause)) from cause


def _read_with_headers(body: bytes, headers: Headers) -> Event:
    # Others, such as those of tracing, may be binary.
    texts = {
        name.lower(): (value or b"").decode()
        for name, value in headers
        if name.lower().startswith((ATTRIBUTE_PREFIX, CONTENT_TYPE))
    }
    media_type = texts.get(CONTENT_TYPE, "").lower()
    if media_type.startswith(CLOUDEVENTS):
        if not media_type.startswith(STRUCTURED):
            raise ValueError(f"{CONTENT_TYPE} is {media_type!r}, expected {STRUCTURED}")
        return _read_structured(body)
    if ATTRIBUTE_PREFIX + "specversion" in texts:
        return _read_binary(body, texts)
    return _read_structured(body)


def _read_structured(body: bytes) -> Event:
    try:
        return Event.model_validate_json(body)
    except ValidationError:
        if b'"data_base64"' not in body:
            raise
    values = JSON_OBJECT.validate_json(body)
    values["data"] = JSON_OBJECT.validate_json(
        base64.b64decode(str(values.pop("data_base64", "")), validate=True)
    )
    return Event.model_validate(values)


def _read_binary(body: bytes, texts: Mapping[str, str]) -> Event:
    attributes: dict[str, Any] = {
        name.removeprefix(ATTRIBUTE_PREFIX): text
        for name, text in texts.items()
        if name.startswith(ATTRIBUTE_PREFIX)
    }
    attributes["datacontenttype"] = texts.get(CONTENT_TYPE, "").lower() or None
    return Event.model_validate(attributes | {"data": JSON_OBJECT.validate_json(body)})
