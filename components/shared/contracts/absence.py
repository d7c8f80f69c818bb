"""Mark a model as absent on purpose, with the reason, and read that mark.

A model is absent if there is no champion yet, or fine-tuning would learn nothing new. Its
folder then holds only `absent.json`.
"""

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from components.shared.contracts.record import Record


class Absence(Record):
    """`absent.json`: reason why a folder has no model."""

    reason: str
    damaged: bool = Field(default=False, description="whether there should be one")


class AbsenceLayout:
    """Files of a model that is absent on purpose."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.absence = self.root / "absent.json"


def mark_absent(root: str | Path, reason: str, damaged: bool = False) -> None:
    """Mark a model as absent on purpose, or as damaged, with the reason.

    Args:
        root: Folder of the model.
        reason: A sentence.
        damaged: Whether there should be a model.
    """
    Absence(reason=reason, damaged=damaged).write(AbsenceLayout(root).absence)


def read_absence(root: str | Path) -> Absence | None:
    """Return why a model is absent and whether it is damaged, or None if it is there."""
    file = AbsenceLayout(root).absence
    return Absence.read(file) if file.exists() else None


def absence(root: str | Path) -> str | None:
    """Return why a model is absent, or None if it is there."""
    absent = read_absence(root)
    return absent.reason if absent else None


def present(roots: Iterable[str | Path]) -> list[Path]:
    """Return the folders that contain a model."""
    return [Path(root) for root in roots if read_absence(root) is None]
