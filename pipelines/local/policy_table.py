"""Print the effective policies: value, unit, source and description of every field."""

import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from components.shared.contracts.policy import Policy
from components.shared.settings.policy_file import VARIABLE, policy_file
from pipelines.local.policy import LAPTOP, NOWHERE, PolicyValue, changes_of, values_of


def print_policy(file: str, *, cluster: bool) -> int:
    """Print every effective value, and return the exit code.

    Args:
        file: Policy file; empty takes the one that POLICY names.
        cluster: Whether the values are those of a cluster, without those of a laptop.

    Raises:
        UserError: If the file is not valid.
    """
    environment = {**os.environ, VARIABLE: file} if file else dict(os.environ)
    presets = NOWHERE if cluster or "DETECTOR_URL" in environment else LAPTOP
    values = list(values_of(changes_of(environment), presets))
    print("\n".join(table_of(values, policy_file(environment))))
    return 0


def table_of(values: list[PolicyValue], file: Path | None) -> Iterator[str]:
    """Yield the lines of the table.

    Args:
        values: Every effective value, in the order of the sections.
        file: The policy file, or None if there is none.
    """
    yield f"policy file: {file or f'none, {VARIABLE} is not set'}"
    names, texts, units = (
        max(map(len, column))
        for column in (
            [one.field for one in values],
            [shown(one.value) for one in values],
            [one.unit for one in values],
        )
    )
    for section, rows in groupby(values, key=lambda one: one.section):
        yield ""
        yield f"{section}: {purpose_of(section)}"
        for one in rows:
            yield (
                f"  {one.field:<{names}}  {shown(one.value):>{texts}} {one.unit:<{units}}  "
                f"{one.source:<7}  {one.description}{_named(one.value)}"
            )


def shown(value: Any) -> str:
    """Return a value as text, short enough for a column.

    >>> shown((0, 5, 100)), shown(12_000), shown(1 / 3), shown(("undecodable", "wrong_size"))
    ('0, 5, 100', '12000', '0.333333', '2 names')
    """
    if isinstance(value, tuple):
        named = [str(part) for part in value if isinstance(part, str)]
        return f"{len(named)} names" if named else ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _named(value: Any) -> str:
    """Return names that are too long for a column."""
    names = [part for part in value if isinstance(part, str)] if isinstance(value, tuple) else []
    return f": {', '.join(names)}" if names else ""


def purpose_of(section: str) -> str:
    """Return the first sentence about a section."""
    sentence, _, _ = (type(getattr(Policy(), section)).__doc__ or "").partition("\n")
    return sentence
