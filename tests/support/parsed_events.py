"""Parsed batches of events, and the rows that they become."""

from datetime import UTC, datetime

from components.data.ingest_events.parse import StreamMessage, parse
from components.shared.contracts.annotation import Box
from components.shared.contracts.events import FrameCaptured, FrameLabelled
from components.shared.contracts.messages import event_of

TIME = datetime(2024, 5, 1, tzinfo=UTC)
AT = ("frames", 0)


def rows(connection, query: str):
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def count(connection, table: str) -> int:
    return rows(connection, f"SELECT count(*) FROM {table}")[0][0]


def batch(*bodies: bytes, begin: int = 0, at=AT):
    return {
        at: [parse(StreamMessage(at[0], at[1], begin + n, body)) for n, body in enumerate(bodies)]
    }


def label(name: str = "car", x_max: float = 9.0) -> bytes:
    box = Box(x_min=1, y_min=1, x_max=x_max, y_max=5, label=name)
    data = FrameLabelled(
        dataset="highway", sha256="a" * 64, width=99, height=99, boxes=(box,),
        labelled_by="me", tool="test", labelled_at=TIME,
    )  # fmt: skip
    return event_of(data, "/tests", TIME).body


def read(body: bytes):
    return parse(StreamMessage("frames", 1, 7, body))


def frame(uri: str) -> bytes:
    data = FrameCaptured(
        dataset="highway", sha256="a" * 64, uri=uri, width=8, height=8, size_bytes=1,
        camera="north", captured_at=TIME, source_name="a.jpg", group="north",
    )  # fmt: skip
    return event_of(data, "/tests", TIME).body
