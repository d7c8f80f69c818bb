"""Models are compared on one machine, in one run, on the same frozen images."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from components.contracts.model import PackageLayout, RegisteredLayout, absence
from components.contracts.progress import follow
from components.contracts.refusal import Refusal
from components.contracts.report import ModelReport, Report, Role
from components.evaluate_detector.answer import Answers, ask
from components.evaluate_detector.coco import Measured, Truth
from components.evaluate_detector.errors import BACKGROUND, Comparison, compare, confusion_matrix
from components.inference.detector import Detector
from components.store.snapshots import SnapshotReader


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that is known after the models were asked.

    Attributes:
        report: What the judge reads.
        answers: What each model said, by its role.
        measured: How well that fits the test images, by role.
        subject: The role that the pictures are of: the best candidate, or else the
            champion; None if there is no model at all.
        comparisons: What became of the subject's boxes, by the SHA-256 of a test image.
        classes: Those of the snapshot.
    """

    report: Report
    answers: dict[Role, Answers]
    measured: dict[Role, Measured]
    subject: Role | None
    comparisons: dict[str, Comparison]
    classes: tuple[str, ...]

    @property
    def confusion(self) -> tuple[list[str], list[list[int]]]:
        """Names and counts of the subject's confusion matrix, rows are the truth."""
        pairs = [pair for each in self.comparisons.values() for pair in each.pairs]
        return [*self.classes, BACKGROUND], confusion_matrix(pairs, self.classes)

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers that the dashboard lists, by role."""
        return {
            f"{model.role} {name}": round(value, 4)
            for model in self.report.models
            for name, value in (
                ("mAP50", model.coco["map50"]),
                ("mAP50-95", model.coco["map"]),
                ("latency ms p95", model.latency_ms_p95),
            )
        }

    @property
    def sentence(self) -> str:
        """The result in one line."""
        model = self.report.of(self.subject) if self.subject else None
        if model is None:
            return "; ".join(["no model to evaluate", *self.report.absent.values()])
        numbers = f"mAP50 {model.coco['map50']:.3f}, mAP50-95 {model.coco['map']:.3f}"
        others = [
            f"{other.role} {other.coco['map50']:.3f}"
            for other in self.report.models
            if other is not model
        ]
        images = f"{model.role} {numbers} on {self.report.images:,} test images"
        return "; ".join([images, *others])


def evaluate(reader: SnapshotReader, folders: Mapping[Role, str | Path]) -> Evaluation:
    """Ask all models about the held-out images, and measure them on the test split.

    A package that stands in two roles is asked once. A class that the snapshot does not
    have is ignored in what a model says.

    Args:
        reader: The snapshot.
        folders: A `PackageLayout`, or for the champion a `RegisteredLayout`; or a folder
            that says why there is no model.

    Raises:
        Refusal: If the test split has no images.
        PackageError: If a package is not whole.
    """
    test = reader.images("test")
    if not test:
        raise Refusal(f"snapshot {reader.info.id[:12]} has no test images to compare models on")
    packages = {role: _package(role, folder) for role, folder in folders.items()}
    present = {role: package for role, package in packages.items() if isinstance(package, Path)}
    truth = Truth(test, reader.info.classes)
    answers = _asked(reader, present)
    measured = _measured(truth, answers)
    models = tuple(_numbers(role, answers[role], measured[role], present[role]) for role in present)
    report = Report(
        dataset=reader.info.dataset,
        snapshot=reader.info.id,
        split="test",
        images=len(test),
        boxes=sum(len(image.boxes) for image in test),
        models=models,
        absent={role: why for role, why in packages.items() if isinstance(why, str)},
        slice_boxes=truth.slice_boxes(),
    )
    subject = _subject(models)
    comparisons = _compared(truth, answers[subject]) if subject else {}
    return Evaluation(report, answers, measured, subject, comparisons, truth.classes)


def _package(role: Role, folder: str | Path) -> Path | str:
    """Return where a role's package lies, or why there is none."""
    package = RegisteredLayout(folder).package if role == "champion" else Path(folder)
    return absence(folder) or package


def _asked(reader: SnapshotReader, packages: Mapping[Role, Path]) -> dict[Role, Answers]:
    images = [*reader.images("validation"), *reader.images("test")]
    detectors = {role: Detector.open(folder) for role, folder in packages.items()}
    distinct = {detector.digest: detector for detector in detectors.values()}
    answers = ask(distinct, images, reader.read, follow(len(images), "images")) if distinct else {}
    return {role: answers[detector.digest] for role, detector in detectors.items()}


def _measured(truth: Truth, answers: Mapping[Role, Answers]) -> dict[Role, Measured]:
    by_digest = {answer.detector.digest: answer for answer in answers.values()}
    measured = {digest: truth.measure(answer.boxes) for digest, answer in by_digest.items()}
    return {role: measured[answer.detector.digest] for role, answer in answers.items()}


def _numbers(role: Role, answers: Answers, measured: Measured, package: Path) -> ModelReport:
    return ModelReport(
        role=role,
        model=answers.detector.digest,
        coco=measured.coco,
        slices=measured.slices,
        latency_ms_p50=round(answers.latency(50), 3),
        latency_ms_p95=round(answers.latency(95), 3),
        size_bytes=PackageLayout(package).model.stat().st_size,
    )


def _subject(models: Iterable[ModelReport]) -> Role | None:
    ranked = sorted(models, key=lambda model: (model.role != "champion", model.coco["map"]))
    return ranked[-1].role if ranked else None


def _compared(truth: Truth, answers: Answers) -> dict[str, Comparison]:
    known = set(truth.classes)
    return {
        image.sha256: compare(
            [box for box in image.boxes if box.label in known],
            [box for box in answers.served(answers.boxes[image.sha256]) if box.label in known],
        )
        for image in truth.images
    }
