"""A model may be absent on purpose: there is no champion yet, the heir would learn nothing new.

Then its folder holds `absent.json` with the reason and nothing else.
"""

from pathlib import Path

from pydantic import Field

from components.contracts.record import Record


class Absence(Record):
    """Why there is no model here."""

    reason: str
    damaged: bool = Field(default=False, description="whether there should be one")


def mark_absent(root: str | Path, reason: str, damaged: bool = False) -> None:
    """Say that a model is absent on purpose, or for being damaged, and why."""
    Absence(reason=reason, damaged=damaged).write(Path(root) / "absent.json")


def absence(root: str | Path) -> str | None:
    """Return why a model is absent, or None if it is there."""
    file = Path(root) / "absent.json"
    return Absence.read(file).reason if file.exists() else None
