"""Check that the regression suite (hard cases) of a version holds all cases of the champion.

A suite only grows.
"""

from pathlib import Path

from components.shared.contracts.errors import UserError
from components.shared.contracts.model import RegisteredLayout
from components.shared.contracts.record import read_lines
from components.shared.contracts.report import HardCase
from components.shared.store.objects import Objects


def check_suite(objects: Objects, suite: Path, champion: str | None) -> None:
    """Check that a suite has every hard case of the champion.

    Args:
        objects: The object store with the champion; an old champion may have no suite.
        suite: File of the suite, lines of `HardCase`.
        champion: Digest of the champion that was compared with; None if there was none.

    Raises:
        UserError: With the first case that is missing.
    """
    if champion is None:
        return
    key = f"{RegisteredLayout.prefix(champion)}/{RegisteredLayout('').hard.name}"
    lines = objects.get(key).splitlines() if objects.exists(key) else []
    kept = set(read_lines(HardCase, suite))
    for case in (HardCase.model_validate_json(line) for line in lines):
        if case not in kept:
            raise UserError(
                f"the hard cases lack one of champion {champion[:12]}, a {case.box.label} on "
                f"image {case.sha256[:12]}; a suite only grows"
            )
