"""Open the packages to compare.

A package that is absent or damaged is left out with its reason; the others are compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from components.promotion.evaluate_detector.peak_memory import measure_peak_memory
from components.shared.contracts.absence import read_absence
from components.shared.contracts.model import PackageError, PackageLayout, RegisteredLayout
from components.shared.contracts.record import read_lines
from components.shared.contracts.report import HardCase, Role
from components.shared.inference.detector import Detector


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A package that was opened.

    Attributes:
        detector: The model.
        size_bytes: Size of all files of the package, in bytes.
        memory_mb: Peak memory by `measure_peak_memory`, in MB.
    """

    detector: Detector
    size_bytes: int
    memory_mb: float


@dataclass(frozen=True, slots=True)
class LoadedModels:
    """The models of a comparison.

    Attributes:
        present: Models by role; one package in two roles is opened once.
        absent: Reasons by role, where there is no model.
        damaged: The absent roles whose package exists and cannot be used.
        suite: Hard cases of the champion.
    """

    present: dict[Role, LoadedModel] = field(default_factory=dict)
    absent: dict[Role, str] = field(default_factory=dict)
    damaged: list[Role] = field(default_factory=list)
    suite: list[HardCase] = field(default_factory=list)

    @property
    def distinct(self) -> dict[str, Detector]:
        """The models by digest."""
        detectors = [opened.detector for opened in self.present.values()]
        return {detector.digest: detector for detector in detectors}


def open_all(folders: Mapping[Role, str | Path]) -> LoadedModels:
    """Open the package of every role.

    Args:
        folders: A `PackageLayout` by role, a `RegisteredLayout` for the champion, or a folder
            with the reason why there is no model.
    """
    loaded, opened = LoadedModels(), dict[str, LoadedModel]()
    for role, folder in folders.items():
        if absent := read_absence(folder):
            loaded.absent[role] = absent.reason
            loaded.damaged.extend([role] if absent.damaged else ())
            continue
        try:
            loaded.present[role] = _open(_package(role, folder), opened)
        except PackageError as fault:
            loaded.absent[role] = f"its package cannot be used: {fault}"
            loaded.damaged.append(role)
    champion = folders.get("champion")
    loaded.suite.extend(_suite(champion) if champion else ())
    return loaded


def _package(role: Role, folder: str | Path) -> Path:
    return RegisteredLayout(folder).package if role == "champion" else Path(folder)


def _open(package: Path, opened: dict[str, LoadedModel]) -> LoadedModel:
    digest = PackageLayout(package).verify().digest
    if digest not in opened:
        memory_mb = measure_peak_memory(package)
        opened[digest] = LoadedModel(Detector.open(package), _bytes(package), round(memory_mb, 1))
    return opened[digest]


def _bytes(package: Path) -> int:
    return sum(file.stat().st_size for file in package.rglob("*") if file.is_file())


def _suite(champion: str | Path) -> Iterator[HardCase]:
    yield from read_lines(HardCase, RegisteredLayout(champion).hard)
