"""Every kind of faulty package meets the real server, and must be refused by its own word.

`make prove-checks` prints each refusal with the seconds that it took.
"""

import re
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from components.promotion.check_model.check import Checked, Expected, check
from tests.support.faulty_graphs import SERVED
from tests.support.faulty_packages import (
    FILES,
    PICTURES,
    Fault,
    faulty,
    suppressing,
)

EXPECTED = Expected("toys", ("car",), PICTURES)
ANSWERS = r"^passed: model \w{12} answers 5 images"
GOOD = {
    "no fault": Fault(lambda package: None, ANSWERS),
    "no fault, suppression inside": Fault(suppressing, ANSWERS),
}


def main() -> int:
    """Try good packages, then one of each fault; return how many were not seen as they are."""
    cases = {**GOOD, **FILES, **SERVED}
    with TemporaryDirectory() as folder:
        wrong = sum(not _holds(Path(folder, str(n)), *case) for n, case in enumerate(cases.items()))
    faults = len(cases) - len(GOOD)
    print(f"{faults} faults and {len(GOOD)} good packages, {wrong} not seen as they are")
    return wrong


def _holds(folder: Path, name: str, fault: Fault) -> bool:
    package, policy = faulty(folder / "package", fault)
    began = time.monotonic()
    checked = check(package.root, folder / "checked", EXPECTED, policy)
    seconds = time.monotonic() - began
    left = psutil.Process().children(recursive=True)
    held = bool(re.search(fault.word, checked.sentence)) and not left and _passes(checked, fault)
    print(f"{'held' if held else 'WRONG':5} {seconds:5.1f} s  {name:30} {checked.sentence[:160]}")
    return held


def _passes(checked: Checked, fault: Fault) -> bool:
    return (checked.passed(must_pass=False) != "") == (fault in GOOD.values())


if __name__ == "__main__":
    sys.exit(main())
