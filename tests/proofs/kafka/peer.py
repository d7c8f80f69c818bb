"""Ingestion beside Kafka Connect: the CPU of both for the same events, in turns, in one run."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from components.shared.contracts.messages import event_of as envelope
from tests.proofs.kafka.connect import TABLE, Connect, Side
from tests.proofs.kafka.events import SOURCE, TIME, label, labels, send
from tests.proofs.kafka.lake import Lake
from tests.proofs.kafka.place import Place
from tests.proofs.table import Check, holds, stated
from tests.support.waiting import await_true

EVENTS = 10_000
LONG_S = 300.0
GOAL = 1.0  # of the CPU time of Kafka Connect


class Cost(NamedTuple):
    """What storing the events of a round took, in seconds.

    Attributes:
        own: CPU of the process.
        backends: CPU of the PostgreSQL backends that served it.
        wall: Real time.
    """

    own: float
    backends: float
    wall: float

    def __str__(self) -> str:
        return f"{self.own:.2f} s + {self.backends:.2f} s in PostgreSQL"


class Comparison(NamedTuple):
    """The costs of both, and the seconds from their starts to their first rows."""

    ours: Cost
    theirs: Cost
    first_row_s: tuple[float, float]

    @property
    def ratio(self) -> float:
        """CPU of ours, process and PostgreSQL, to that of Kafka Connect."""
        ours, theirs = self.ours, self.theirs
        return (ours.own + ours.backends) / (theirs.own + theirs.backends)


def kafka_connect(place: Place) -> Iterator[Check]:
    """Ingestion costs no more CPU than Kafka Connect, which does not read what it stores."""
    size = len(envelope(label(0), SOURCE, TIME).body)
    seen = compare(place)
    figure = f"{seen.ours} to {seen.theirs}: {seen.ratio:.2f}"
    what = f"CPU for {EVENTS:,} events of {size} bytes, ours to Kafka Connect"
    yield holds(what, figure, f"<= {GOAL:g}", seen.ratio <= GOAL)
    figure = f"{seen.ours.wall:.1f} s to {seen.theirs.wall:.1f} s"
    yield stated("seconds for these, ours to Kafka Connect", figure)
    ours, theirs = seen.first_row_s
    figure = f"{ours:.1f} s to {theirs:.1f} s"
    yield holds("start to first row, ours to Kafka Connect", figure, "ours first", ours <= theirs)


def compare(place: Place) -> Comparison:
    """Start both with events waiting, then let them store the same events in turns."""
    with ExitStack() as stack:
        sides, first_row_s = _begin(place, stack)
        costs = _rounds(place, sides, rounds=5 if place.long else 2)
    ours, connect = map(_middle, costs)
    return Comparison(ours, connect, first_row_s)


def _begin(place: Place, stack: ExitStack) -> tuple[list[Side], tuple[float, float]]:
    """Start both, one after the other, with events waiting; return also their first row's time."""
    send(place.servers, labels(1_000))
    began = time.monotonic()
    ingester = place.ingester()
    ours = Side(process=ingester.process, lake=place.lake, stored=place.lake.events)
    first = _first_row(ours, began)
    lake = place.another_lake(stack)
    began = time.monotonic()
    connect = stack.enter_context(Connect(place.folder / "connect", place.servers, lake))
    theirs = Side(
        process=connect.process, lake=lake, stored=lambda: _rows(lake), failure=connect.failure
    )
    return [ours, theirs], (first, _first_row(theirs, began))


def _first_row(side: Side, began: float) -> float:
    await_true(lambda: side.stored() > 0 or bool(side.failure()), LONG_S)
    if not side.stored():
        raise RuntimeError(f"no row: {side.failure() or side.process}")
    seconds = time.monotonic() - began
    await_true(lambda: side.stored() >= 1_000, LONG_S)
    side.process.suspend()
    return seconds


def _rounds(place: Place, sides: list[Side], rounds: int) -> list[list[Cost]]:
    """Let both store the same events in turns; the first round warms them up and counts not."""
    costs: list[list[Cost]] = [[] for _ in sides]
    there = 1_000
    for _ in range(rounds + 1):
        there += send(place.servers, labels(EVENTS, start=there))
        for side, cost in zip(sides, costs, strict=True):
            cost.append(Cost(*side.store(there)))
    return [cost[1:] for cost in costs]


def _middle(costs: list[Cost]) -> Cost:
    return Cost(*(median(part) for part in zip(*costs, strict=True)))


def _rows(lake: Lake) -> int:
    ((found,),) = lake.ask("SELECT to_regclass(%s)", TABLE)
    return int(lake.ask(f"SELECT count(*) FROM {TABLE}")[0][0]) if found else 0
