"""Parse Kafka messages as events; a message that is no known event gets a reason."""

from dataclasses import dataclass
from typing import NamedTuple

from components.shared.contracts.cloud_events import Envelope, EventError, Headers
from components.shared.contracts.events import EventData
from components.shared.contracts.messages import parse_event


class StreamMessage(NamedTuple):
    """One message of a stream, with its partition and offset."""

    topic: str
    partition: int
    offset: int
    body: bytes
    headers: Headers = ()

    @property
    def place(self) -> str:
        """Topic, partition and offset as text."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Parsed(NamedTuple):
    """A message that was parsed as an event.

    Attributes:
        message: The message of the stream.
        event: Envelope, with the sender's `source` and `id`.
        data: Content of the event.
        content: `data` as canonical JSON.
        event_id: Digest of type and content, by which the event is stored once.
    """

    message: StreamMessage
    event: Envelope
    data: EventData
    content: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that goes to quarantine.

    Attributes:
        message: The message of the stream.
        reason: A code that can be counted.
        detail: A sentence for a person.
        event_id: Digest of the event if it was parsed, so that a replay is not counted again.
        dataset: Name of the dataset, if it could be parsed.
    """

    message: StreamMessage
    reason: str
    detail: str
    event_id: str | None = None
    dataset: str | None = None


ParseResult = Parsed | Rejected


def parse(message: StreamMessage) -> ParseResult:
    """Parse one message.

    >>> parse(StreamMessage("frames", 0, 7, b"hello")).reason
    'not_json'
    """
    try:
        return Parsed(message, *parse_event(message.body, message.headers))
    except EventError as error:
        return Rejected(message, error.reason, error.detail)
    except Exception as error:  # whatever one message does to its reader, the next one is read
        return Rejected(message, "unreadable", f"{type(error).__name__}: {error}")


def reject(reading: Parsed, reason: str, detail: str) -> Rejected:
    """Send a parsed event to quarantine all the same.

    Args:
        reading: The parsed event.
        reason: A code that can be counted.
        detail: A sentence for a person.
    """
    return Rejected(reading.message, reason, detail, reading.event_id, reading.data.dataset)
