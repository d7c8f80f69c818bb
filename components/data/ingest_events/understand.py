"""Parse Kafka messages as events; a message that is no known event gets a reason."""

from dataclasses import dataclass
from typing import NamedTuple

from components.shared.contracts.cloud_events import Envelope, Headers
from components.shared.contracts.events import (
    EventData,
    EventError,
    parse_event,
)


class Message(NamedTuple):
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


class Understood(NamedTuple):
    """A message and the event that it is.

    Attributes:
        message: What came.
        event: Its envelope, with the sender's `source` and `id`.
        data: What it says.
        content: `data` as JSON, spelled once.
        event_id: Digest of type and content, by which the event is stored once.
    """

    message: Message
    event: Envelope
    data: EventData
    content: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Misread:
    """A message that goes to quarantine.

    Attributes:
        message: What came.
        reason: A code that can be counted.
        detail: A sentence for a person.
        event_id: The event's id if it is one, so that its replay is not counted again.
        dataset: Whose it is, as far as that is known.
    """

    message: Message
    reason: str
    detail: str
    event_id: str | None = None
    dataset: str | None = None


Reading = Understood | Misread


def understand(message: Message) -> Reading:
    """Parse one message.

    >>> understand(Message("frames", 0, 7, b"hello")).reason
    'not_json'
    """
    try:
        return Understood(message, *parse_event(message.body, message.headers))
    except EventError as error:
        return Misread(message, error.reason, error.detail)
    except Exception as error:  # whatever one message does to its reader, the next one is read
        return Misread(message, "unreadable", f"{type(error).__name__}: {error}")


def misread(reading: Understood, reason: str, detail: str) -> Misread:
    """Send a parsed event to quarantine all the same."""
    return Misread(reading.message, reason, detail, reading.event_id, reading.data.dataset)
