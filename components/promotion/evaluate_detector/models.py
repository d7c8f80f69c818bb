"""Open the packages to compare.

A package that is absent or damaged is left out with its reason; the others are compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from components.promotion.evaluate_detector.weigh import weigh
from components.shared.contracts.absence import read_absence
from components.shared.contracts.model import PackageError, PackageLayout, RegisteredLayout
from components.shared.contracts.record import read_lines
from components.shared.contracts.report import HardCase, Role
from components.shared.inference.detector import Detector


@dataclass(frozen=True, slots=True)
class Opened:
    """A package that can be asked.

    Attributes:
        detector: The model.
        size_bytes: Of all files of the package.
        memory_mb: What it takes, as `weigh` says.
    """

    detector: Detector
    size_bytes: int
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Contestants:
    """Who takes part.

    Attributes:
        present: The models, by role; one package in two roles is opened once.
        absent: Why there is none, by role.
        damaged: Of the absent, those that are there and cannot be used.
        suite: The hard cases that the champion came with.
    """

    present: dict[Role, Opened] = field(default_factory=dict)
    absent: dict[Role, str] = field(default_factory=dict)
    damaged: list[Role] = field(default_factory=list)
    suite: list[HardCase] = field(default_factory=list)

    @property
    def distinct(self) -> dict[str, Detector]:
        """The models by digest."""
        detectors = [opened.detector for opened in self.present.values()]
        return {detector.digest: detector for detector in detectors}


def open_all(folders: Mapping[Role, str | Path]) -> Contestants:
    """Open the package of every role.

    Args:
        folders: A `PackageLayout`, or for the champion a `RegisteredLayout`; or a folder
            that says why there is no model. A role that nobody has is left out.
    """
    contestants, opened = Contestants(), dict[str, Opened]()
    for role, folder in folders.items():
        if absent := read_absence(folder):
            contestants.absent[role] = absent.reason
            contestants.damaged.extend([role] if absent.damaged else ())
            continue
        try:
            contestants.present[role] = _open(_package(role, folder), opened)
        except PackageError as fault:
            contestants.absent[role] = f"its package cannot be used: {fault}"
            contestants.damaged.append(role)
    champion = folders.get("champion")
    contestants.suite.extend(_suite(champion) if champion else ())
    return contestants


def _package(role: Role, folder: str | Path) -> Path:
    return RegisteredLayout(folder).package if role == "champion" else Path(folder)


def _open(package: Path, opened: dict[str, Opened]) -> Opened:
    digest = PackageLayout(package).verify().digest
    if digest not in opened:
        memory_mb = weigh(package)
        opened[digest] = Opened(Detector.open(package), _bytes(package), round(memory_mb, 1))
    return opened[digest]


def _bytes(package: Path) -> int:
    return sum(file.stat().st_size for file in package.rglob("*") if file.is_file())


def _suite(champion: str | Path) -> Iterator[HardCase]:
    yield from read_lines(HardCase, RegisteredLayout(champion).hard)
