"""`make prove-kafka`: ingestion against real Apache Kafka, scenario by scenario, in one table.

Brokers are started on this machine, or those of KAFKA_BOOTSTRAP_SERVERS are used; then the
scenarios that stop brokers or need certificates are left out, and that is said.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from components.shared.contracts.events import TOPICS
from pipelines.local.database import EmbeddedDatabase
from tests.proofs.kafka import (
    connecting,
    ending,
    keeping,
    outages,
    outsiders,
    peer,
    reading,
    scale,
    storm,
)
from tests.proofs.kafka.brokers import Brokers
from tests.proofs.kafka.place import Place, place
from tests.proofs.needs import need_free_topics, need_java
from tests.proofs.table import Check, show, stated, watched
from tests.support.kafka_admin import Admin

Scenario = Callable[[Place], Iterator[Check]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Scenarios that share a cluster.

    Attributes:
        brokers: How many the cluster has.
        anywhere: Scenarios for any cluster.
        own: Scenarios for brokers that are ours to stop.
    """

    brokers: int
    anywhere: tuple[Scenario, ...] = ()
    own: tuple[Scenario, ...] = ()


GROUPS = (
    Group(
        brokers=1,
        anywhere=(
            reading.compression, reading.transactions, reading.made_anew, reading.beside,
            outsiders.outsiders, connecting.missing_topic, outages.object_store_away,
            outages.bucket_missing, outages.folder_not_mounted, outages.database_read_only,
            keeping.retention, keeping.clock_of_1970, ending.terminated, scale.two_ingesters,
            scale.large_messages,
        ),
        own=(
            connecting.let_in, connecting.kept_out, connecting.missing_right,
            keeping.group_offsets, outages.broker_away, reading.restored, peer.kafka_connect,
        ),
    ),
    Group(brokers=storm.BROKERS, own=(storm.exactly_once,)),
)  # fmt: skip


def main(chosen: list[str]) -> int:
    """Run the scenarios that are named, or all; 0 if every row is as it should be."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and all that was started ends, too
    known = [one for group in GROUPS for one in group.anywhere + group.own]
    if unknown := [name for name in chosen if not any(_wanted(one, [name]) for one in known)]:
        print(f"no scenario is called {unknown[0]}; there are {_names(known)}", file=sys.stderr)
        return 2
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    need_free_topics(given) if given else need_java()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        database = stack.enter_context(EmbeddedDatabase(folder / "postgres"))
        checks = list(_all(folder, database, chosen, given))
    if given:
        Admin(given).delete(TOPICS)
    show("Kafka", checks)
    wrong = sum(check.good is False for check in checks)
    print(f"{wrong} rows are NOT as they should be" if wrong else "all as it should be")
    return 1 if wrong else 0


def _all(
    folder: Path, database: EmbeddedDatabase, chosen: list[str], given: str | None
) -> Iterator[Check]:
    for group in GROUPS:
        wanted = [one for one in group.anywhere + group.own if _wanted(one, chosen)]
        if not wanted:
            continue
        if given is None:
            with Brokers(folder / f"brokers-{group.brokers}", group.brokers) as brokers:
                for scenario in wanted:
                    yield from run(scenario, folder, brokers, database)
            continue
        for scenario in wanted:
            if scenario in group.own:
                skipped = stated(name_of(scenario), "skipped: needs brokers of the proof's own")
                print(skipped.line, flush=True)
                yield skipped
            else:
                yield from run(scenario, folder, given, database)


def run(
    scenario: Scenario,
    folder: Path,
    brokers: Brokers | str,
    database: EmbeddedDatabase,
    long: bool = True,
) -> Iterator[Check]:
    """Run one scenario and yield its rows, each said as it comes."""
    name = name_of(scenario)

    def rows() -> Iterator[Check]:
        with place(folder / name, brokers, database, long) as here:
            yield from scenario(here)

    return watched(name, rows())


def name_of(scenario: Scenario) -> str:
    """Return what a scenario is called on the command line."""
    return f"{scenario.__module__.rpartition('.')[2]}.{scenario.__name__}"


def _names(scenarios: list[Scenario]) -> str:
    return ", ".join(map(name_of, scenarios))


def _wanted(scenario: Scenario, chosen: list[str]) -> bool:
    name = name_of(scenario)
    return not chosen or any(one in (name, *name.split(".")) for one in chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
