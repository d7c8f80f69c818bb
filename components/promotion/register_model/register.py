"""Register the winner: store its files, verify the stored copy, sign it, add a version.

A version is added only after all files are stored and read back unchanged.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from components.promotion.register_model.card import model_card
from components.promotion.register_model.suite import check_suite
from components.shared.contracts.absence import absence
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import (
    PackageError,
    PackageInfo,
    PackageLayout,
    RegisteredLayout,
)
from components.shared.contracts.progress import log_progress
from components.shared.contracts.record import read_lines
from components.shared.contracts.report import (
    ROLES,
    ModelReport,
    ReferencesLayout,
    Report,
    Role,
    Verdict,
    VerdictLayout,
)
from components.shared.contracts.snapshot import SnapshotImage, SnapshotInfo, SnapshotLayout
from components.shared.inference.signature import sign
from components.shared.store.objects import Objects
from components.shared.store.registry import Registry, Version


@dataclass(frozen=True, slots=True)
class Candidate:
    """The files of the winner of a comparison.

    Attributes:
        role: Its role in the comparison.
        package: A `PackageLayout`.
        trained: A `TrainedLayout`.
        report: The comparison, a `contracts.report.Report`.
        references: Its held-out frames and hard cases.
        reason: Reason of the promotion.
        card: Its model card, Markdown.
    """

    role: Role
    package: Path
    trained: Path
    report: Path
    references: ReferencesLayout
    reason: str
    card: str

    @property
    def suite(self) -> Path:
        """File of its hard cases, which need not exist."""
        return self.references.hard(self.role)


def winning(
    winner: str,
    candidates: Mapping[str, tuple[str, str]],
    report: str | Path,
    references: str | Path,
    verdict: str | Path,
    snapshot: str | Path,
) -> Candidate:
    """Collect the files of the winner.

    Args:
        winner: `fine_tuned` or `from_scratch`.
        candidates: Folders of package and of trained weights, by role.
        report: File of the comparison.
        references: Folder with held-out frames and hard cases, a `ReferencesLayout`.
        verdict: Folder with the decision, a `VerdictLayout`.
        snapshot: The training data, a `SnapshotLayout`.

    Raises:
        UserError: If there is no winner, it is absent, or the report is of another model.
    """
    role = next((role for role in ROLES if role == winner and role in candidates), None)
    if role is None:
        raise UserError(f"winner is {winner!r}, expected one of {sorted(candidates)}")
    package, trained = map(Path, candidates[role])
    why = absence(package) or absence(trained)
    if why:
        raise UserError(f"the {role} cannot be registered, it is absent: {why}")
    decision = Verdict.read(VerdictLayout(verdict).verdict)
    layout = ReferencesLayout(references)
    card = _card(role, package, Report.read(report), SnapshotLayout(snapshot), decision)
    return Candidate(role, package, trained, Path(report), layout, decision.reason, card)


def _card(
    role: Role, package: Path, report: Report, snapshot: SnapshotLayout, verdict: Verdict
) -> str:  # fmt: skip
    info = PackageLayout(package).verify()
    frozen = SnapshotInfo.read(snapshot.info)
    images = read_lines(SnapshotImage, snapshot.manifest)
    return model_card(info, report, _numbers(role, report, info), frozen, images, verdict)


def register(
    registry: Registry, objects: Objects, candidate: Candidate, key: Path | None = None
) -> Version:
    """Store a candidate under its digest and give it a version.

    A registered model keeps the files that were stored with it; after an interrupted call, the
    next one stores the same files again.

    Args:
        registry: The model registry.
        objects: The object store, where the files become a `RegisteredLayout`.
        candidate: The winner.
        key: Private key that signs the stored package; None leaves it unsigned.

    Raises:
        PackageError: If the package is damaged, here or in the object store.
        UserError: If the report is of another model, or hard cases of the champion are lacking.
    """
    info = PackageLayout(candidate.package).verify()
    report = Report.read(candidate.report)
    numbers, champion = _numbers(candidate.role, report, info), report.of("champion")
    prefix = RegisteredLayout.prefix(info.digest)
    if info.digest not in {version.model for version in registry.versions(info.dataset)}:
        check_suite(objects, candidate.suite, champion.model if champion else None)
        _store(objects, candidate, prefix)
    _seal(objects, prefix, info, key)
    version = registry.register(
        info.dataset,
        info.digest,
        objects.uri(prefix),
        info.lineage.snapshot,
        info.lineage.model_dump(mode="json"),
        {**numbers.measurable, "latency_ms_p50": numbers.latency_ms_p50,
         "latency_ms_p95": numbers.latency_ms_p95},
        candidate.reason,
        champion.model if champion else None,
    )  # fmt: skip
    serves = version == registry.champion(info.dataset)
    log_progress(f"{version.name} is {'in service' if serves else 'registered as challenger'}")
    return version


def _numbers(role: Role, report: Report, info: PackageInfo) -> ModelReport:
    numbers = report.of(role)
    if numbers is None or numbers.model != info.digest:
        reported = numbers.model[:12] if numbers else "nothing"
        raise UserError(
            f"the report tells of {reported} as {role}, but the package is model {info.digest[:12]}"
        )
    return numbers


def _store(objects: Objects, candidate: Candidate, prefix: str) -> None:
    with TemporaryDirectory() as folder:
        layout = RegisteredLayout(folder)
        shutil.copytree(candidate.package, layout.package)
        shutil.copytree(candidate.trained, layout.trained)
        shutil.copyfile(candidate.report, layout.report)
        layout.card.write_text(candidate.card)
        shutil.copyfile(candidate.references.frames(candidate.role), layout.reference)
        if candidate.suite.exists():
            shutil.copyfile(candidate.suite, layout.hard)
        objects.put_folder(prefix, layout.root)


def _seal(objects: Objects, prefix: str, info: PackageInfo, key: Path | None) -> None:
    """Verify the package as it reads back from the object store, and sign it."""
    with TemporaryDirectory() as folder:
        stored = RegisteredLayout(folder)
        objects.get_folder(f"{prefix}/{stored.package.name}", stored.package)
        found = PackageLayout(stored.package).verify().digest
        if found != info.digest:
            raise PackageError(
                f"{objects.uri(prefix)} holds model {found[:12]}, expected {info.digest[:12]}"
            )
        if key:
            sign(stored.package, stored.signature, key)
            objects.put(f"{prefix}/{stored.signature.name}", stored.signature.read_bytes())
