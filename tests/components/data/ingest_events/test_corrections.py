"""A correction is the label of its frame, stored once, with who made it and for which answer."""

from datetime import UTC, datetime, timedelta

import pytest

from components.data.ingest_events.parse import StreamMessage, parse
from components.data.ingest_events.write import write
from components.data.snapshot_dataset.rows import read_labelled
from components.shared.contracts.annotation import Box
from components.shared.contracts.messages import event_of
from pipelines.events.examples import EXAMPLES

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CAPTURED, CORRECTED = EXAMPLES["frame.captured"], EXAMPLES["prediction.corrected"]
A, B = (Box(x_min=left, y_min=10, x_max=left + 50, y_max=60, label="car") for left in (5.0, 300.0))


class Ingester:
    """Stores events of one partition, one batch after the other."""

    def __init__(self, connection):
        self.connection, self.offset = connection, 0

    def take(self, *events):
        at = ("frames", 0)
        bodies = [event_of(data, "/gateway", NOON).body for data in events]
        messages = [StreamMessage(*at, self.offset + n, body) for n, body in enumerate(bodies)]
        begins, self.offset = {at: self.offset}, self.offset + len(bodies)
        write(self.connection, "s", {at: [parse(message) for message in messages]}, begins)

    def ask(self, query):
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()


@pytest.fixture
def ingester(connection):
    return Ingester(connection)


def corrected(box, minute, by="anna"):
    at = NOON + timedelta(minutes=minute)
    return CORRECTED.model_copy(update={"boxes": (box,), "corrected_at": at, "corrected_by": by})


def test_a_correction_is_the_label_that_the_next_snapshot_reads(ingester, connection):
    ingester.take(CAPTURED, EXAMPLES["frame.labelled"], corrected(B, minute=1, by="ben"))

    (frame,) = read_labelled(connection, CAPTURED.dataset).frames
    assert frame.boxes == (B,)
    assert (frame.row["labelled_by"], frame.row["labelled_at"].minute) == ("ben", 1)


def test_a_correction_that_comes_twice_is_stored_once(ingester):
    ingester.take(CAPTURED, corrected(A, minute=1))
    ingester.take(corrected(A, minute=1), corrected(A, minute=1))

    counts = "SELECT (SELECT count(*) FROM silver.labels), (SELECT count(*) FROM {})"
    assert ingester.ask(counts.format("silver.corrections")) == [(1, 1)]


def test_of_corrections_to_a_then_b_then_a_again_the_last_holds(ingester, connection):
    ingester.take(CAPTURED, corrected(A, minute=1), corrected(B, minute=2), corrected(A, minute=3))

    (frame,) = read_labelled(connection, CAPTURED.dataset).frames
    assert frame.boxes == (A,)


def test_an_accepted_answer_has_no_faults_and_is_a_label_too(ingester, connection):
    ingester.take(CAPTURED, CORRECTED.model_copy(update={"faults": ()}))

    assert ingester.ask("SELECT faults, corrected_by FROM silver.corrections") == [([], "anna")]
    assert read_labelled(connection, CAPTURED.dataset).frames


def test_a_correction_keeps_the_answer_that_it_corrects(ingester):
    ingester.take(CORRECTED)

    query = "SELECT request_id, model, faults FROM silver.corrections"
    assert ingester.ask(query) == [(CORRECTED.request_id, CORRECTED.model, ["wrong_label"])]
