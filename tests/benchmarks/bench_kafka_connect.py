"""Ingestion beside Kafka Connect, a real broker, PostgreSQL and the same events: CPU time of both.

Both processes take turns with the same waiting events, and the time of PostgreSQL's backends
counts as theirs. Where Java or Maven is missing it is left out, and that is said.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.local.database import EmbeddedDatabase
from tests.benchmarks.table import Row, at_most
from tests.proofs.kafka.brokers import Brokers
from tests.proofs.kafka.jars import PROFILES, FetchError, jars, missing
from tests.proofs.kafka.peer import EVENTS, GOAL, compare
from tests.proofs.kafka.place import place


def rows() -> Iterator[Row]:
    """Bring up a broker and let both store the same events."""
    what = f"understand, check and store {EVENTS:,} events"
    if why := _left_out():
        yield Row(what, "left out", why)
        return
    with (
        TemporaryDirectory() as name,
        EmbeddedDatabase(Path(name) / "postgres") as database,
        Brokers(Path(name) / "brokers") as brokers,
        place(Path(name) / "ingestion", brokers, database, long=True) as here,
    ):
        seen = compare(here)
    ours, theirs = seen.ours, seen.theirs
    yield at_most(
        f"{what}, CPU", f"{ours}", f"Kafka Connect, body unread: {theirs}", seen.ratio, GOAL
    )
    first, their_first = seen.first_row_s
    against = f"Kafka Connect {their_first:.1f} s"
    yield at_most("start to first row", f"{first:.1f} s", against, first / their_first, GOAL)


def _left_out() -> str:
    """Return why Kafka Connect cannot run here; empty if it can."""
    if lacking := missing():
        return f"Kafka Connect needs {lacking}"
    try:
        for profile in PROFILES:
            jars(profile)
    except FetchError as cause:
        return str(cause)
    return ""
