"""`make bench`: every benchmark in a process of its own, and one table of what they measured."""

import os
import subprocess
import sys
from importlib import import_module
from json import dumps, loads
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.table import Row

NAMES = sorted(file.stem for file in Path(__file__).parent.glob("bench_*.py"))


def main(chosen: list[str]) -> int:
    """Run the benchmarks whose names are given, or all; 1 if one of them broke."""
    table = Table("measured", "ours", "against", "ratio", "goal", "", title="Benchmarks")
    broken = []
    for name in chosen or [name.removeprefix("bench_") for name in NAMES]:
        forget_libraries()
        done = subprocess.run(
            [sys.executable, "-m", __package__, "--one", name], stdout=subprocess.PIPE
        )
        broken += [name] if done.returncode else []
        for line in done.stdout.decode().splitlines():
            if line.startswith('{"what"'):
                table.add_row(*_cells(Row(**loads(line))))
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(*(f"{name} broke" for name in broken))
    return bool(broken)


def _cells(row: Row) -> list[str]:
    ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
    outcome = {None: "", True: "reached", False: "missed"}[row.reached]
    return [row.what, row.ours, row.against, ratio, row.goal, outcome]


def forget_libraries() -> None:
    """Let the system drop what it caches of this environment's libraries, so that none is larger.

    What was just written is cached in large folios, and Linux 6.18 maps a folio whole where one
    of its pages is touched: after an installation a process seems up to 80 MB larger than ever
    after. None of that is its own, and all of it goes when memory is short.
    """
    for library in filter(Path.is_file, Path(sys.prefix).rglob("*.so*")):
        with library.open("rb") as file:
            os.fdatasync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def one(name: str) -> None:
    """Run one benchmark here, a JSON line for each row as it comes."""
    for row in import_module(f"tests.benchmarks.bench_{name}").rows():
        values = {field: getattr(row, field) for field in Row.__dataclass_fields__}
        print(dumps(values), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1:]))
