"""The rows of a proof: scenario, figure, what was expected, and whether it held."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row.

    Attributes:
        what: What was looked at, in a few words.
        figure: What was seen.
        expected: What should be seen.
        good: Whether it was; None for what could not be looked at here, or is only stated.
    """

    what: str
    figure: str
    expected: str
    good: bool | None

    @property
    def line(self) -> str:
        """The row as one line."""
        return f"{WORDS[self.good]:7} {self.what}: {self.figure} (expected {self.expected})"


WORDS = {True: "ok", False: "WRONG", None: "-"}


def equal(what: str, seen: object, expected: object) -> Check:
    """Return a row that holds if what was seen is what was expected."""
    return Check(
        what=what, figure=_said(seen), expected=_said(expected), good=bool(seen == expected)
    )


def holds(what: str, figure: object, expected: str, good: bool) -> Check:
    """Return a row with a condition of its own."""
    return Check(what=what, figure=_said(figure), expected=expected, good=good)


def stated(what: str, figure: str, expected: str = "stated") -> Check:
    """Return a row that cannot fail."""
    return Check(what=what, figure=figure, expected=expected, good=None)


def watched(name: str, checks: Iterable[Check]) -> Iterator[Check]:
    """Say each row of a scenario as it comes, and yield it.

    A scenario that breaks is a row that does not hold, so that the others go on.
    """
    began = time.monotonic()
    print(f"{name}:", flush=True)
    try:
        for check in checks:
            print(f"  {check.line}", flush=True)
            yield check
    except Exception as cause:  # whatever breaks one scenario must not hide the others
        broken = equal(f"{name} ran to its end", repr(cause)[:200], "no exception")
        print(f"  {broken.line}", flush=True)
        yield broken
    print(f"  {time.monotonic() - began:.0f} s", flush=True)


def show(title: str, checks: Sequence[Check]) -> None:
    """Print all rows as a table."""
    table = Table("scenario", "figure", "expected", "", title=title)
    for check in checks:
        table.add_row(check.what, check.figure, check.expected, WORDS[check.good])
    Console(width=150).print(table)


def _said(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
