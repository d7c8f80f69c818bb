"""`make prove-hardening`: what strangers may send and do, against real processes, in one table."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.local.database import EmbeddedDatabase
from tests.proofs.hardening import (
    annotations,
    clients,
    messages,
    outages,
    overload,
    pauses,
    pictures,
)
from tests.proofs.hardening.place import Place, place
from tests.proofs.table import Check, show, watched

Scenario = Callable[[Place], Iterator[Check]]
SCENARIOS: tuple[Scenario, ...] = (
    pictures.picture_bombs,
    pictures.mutated_pictures,
    annotations.damaged_annotations,
    messages.mutated_messages,
    clients.rude_clients,
    overload.overloaded_server,
    pauses.paused_ingester,
    outages.object_store_away,
)


def main(chosen: list[str]) -> int:
    """Run the scenarios that are named, or all; 0 if every row is as it should be."""
    known = {scenario.__name__: scenario for scenario in SCENARIOS}
    if unknown := set(chosen) - known.keys():
        print(
            f"no scenario is called {min(unknown)}; there are {', '.join(known)}", file=sys.stderr
        )
        return 2
    with TemporaryDirectory() as name, EmbeddedDatabase(Path(name) / "postgres") as database:
        checks = [
            check
            for scenario in (known[one] for one in chosen or known)
            for check in watched(scenario.__name__, _rows(scenario, Path(name), database))
        ]
    show("Hardening", checks)
    wrong = sum(check.good is False for check in checks)
    print(f"{wrong} rows are NOT as they should be" if wrong else "all as it should be")
    return 1 if wrong else 0


def _rows(scenario: Scenario, folder: Path, database: EmbeddedDatabase) -> Iterator[Check]:
    with place(folder / scenario.__name__, database) as here:
        yield from scenario(here)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
