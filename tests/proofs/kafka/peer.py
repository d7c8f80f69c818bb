"""Ingestion beside Kafka Connect: the CPU of both for the same events, in turns, in one run."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from tests.proofs.kafka.connect import TABLE, Connect, Side
from tests.proofs.kafka.events import SOURCE, TIME, envelope, label, labels, send
from tests.proofs.kafka.lake import await_true
from tests.proofs.kafka.place import Place
from tests.proofs.kafka.table import Check, holds, stated

EVENTS = 10_000
LONG_S = 300.0
GOAL = 1.0
"""CPU of ours, process and PostgreSQL, to that of Connect."""

Cost = tuple[float, float, float]


def kafka_connect(place: Place) -> Iterator[Check]:
    """Ingestion costs no more CPU than Kafka Connect, which does not read what it stores."""
    size = len(envelope(label(0), SOURCE, TIME).body)
    with ExitStack() as stack:
        sides, first_row_s = _begin(place, stack)
        costs = _rounds(place, sides, rounds=5 if place.long else 2)
    (ours, theirs) = (_middle(cost) for cost in costs)
    ratio = sum(ours[:2]) / sum(theirs[:2])
    figure = f"{_said(ours)} to {_said(theirs)}: {ratio:.2f}"
    what = f"CPU for {EVENTS:,} events of {size} bytes, ours to Kafka Connect"
    yield holds(what, figure, f"<= {GOAL:g}", ratio <= GOAL)
    figure = f"{ours[2]:.1f} s to {theirs[2]:.1f} s"
    yield stated("seconds for these, ours to Kafka Connect", figure)
    figure = f"{first_row_s[0]:.1f} s to {first_row_s[1]:.1f} s"
    good = first_row_s[0] <= first_row_s[1]
    yield holds("start to first row, ours to Kafka Connect", figure, "ours first", good)


def _begin(place: Place, stack: ExitStack) -> tuple[list[Side], list[float]]:
    """Start both, one after the other, with events waiting; return also their first row's time."""
    send(place.servers, labels(1_000))
    began = time.monotonic()
    ingester = place.ingester()
    ours = Side(process=ingester.process, lake=place.lake, stored=place.lake.events)
    seconds = [_first_row(ours, began)]
    lake = place.another_lake(stack)
    began = time.monotonic()
    connect = stack.enter_context(Connect(place.folder / "connect", place.servers, lake))
    theirs = Side(process=connect.process, lake=lake, stored=lambda: _rows(lake))
    return [ours, theirs], [*seconds, _first_row(theirs, began)]


def _first_row(side: Side, began: float) -> float:
    if not await_true(lambda: side.stored() > 0, LONG_S):
        raise TimeoutError(f"no row in {LONG_S:g} s: {side.process}")
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
            cost.append(side.store(there))
    return [cost[1:] for cost in costs]


def _middle(costs: list[Cost]) -> Cost:
    return tuple(median(part) for part in zip(*costs, strict=True))


def _said(cost: Cost) -> str:
    return f"{cost[0]:.2f} + {cost[1]:.2f} s"


def _rows(lake) -> int:
    ((found,),) = lake.ask("SELECT to_regclass(%s)", TABLE)
    return int(lake.ask(f"SELECT count(*) FROM {TABLE}")[0][0]) if found else 0
