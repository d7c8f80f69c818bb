"""Evaluate all models on one split: metrics, comparison with the champion, errors, hard cases.

All models run on one machine, in one run, on the same frozen images.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.promotion.evaluate_detector.coco import CocoTruth, Measured
from components.promotion.evaluate_detector.errors import (
    ImageErrors,
    compare_all,
    confusion_matrix,
    most_telling,
)
from components.promotion.evaluate_detector.models import LoadedModel, LoadedModels, open_all
from components.promotion.evaluate_detector.paired_bootstrap import PairedBootstrap
from components.promotion.evaluate_detector.predict import Predictions, predict
from components.promotion.evaluate_detector.regression_suite import by_role, count_kept, valid
from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import Policy, PromotionPolicy
from components.shared.contracts.progress import follow
from components.shared.contracts.report import (
    LABELS,
    NOT_MEASURABLE,
    Duel,
    HardCase,
    ModelReport,
    Report,
    Role,
    precision_text,
)
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.store.snapshots import SnapshotReader

POLICIES = Policy()
SHOWN_CLASSES = 16  # of a confusion matrix


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of a comparison.

    Attributes:
        report: The report that `judge_model` reads.
        answers: Predictions by role.
        measured: Metrics by role.
        subject: The role that the pictures are of: the best candidate, or else the
            champion; None if there is no model at all.
        comparisons: Matches and errors of the subject, by the SHA-256 of a test image.
        classes: Classes of the snapshot.
        suites: Hard cases of each role, which are stored with it if it is registered.
        few: Warning if the images are too few to tell two models apart; empty if not.
    """

    report: Report
    answers: dict[Role, Predictions]
    measured: dict[Role, Measured]
    subject: Role | None
    comparisons: dict[str, ImageErrors]
    classes: tuple[str, ...]
    suites: dict[Role, list[HardCase]]
    few: str

    @property
    def confusion(self) -> tuple[list[str], list[list[int]]]:
        """Names and counts of the subject's confusion matrix, rows are the truth.

        Of many classes those with most errors stand alone, and the others together.
        """
        pairs = [pair for each in self.comparisons.values() for pair in each.pairs]
        matrix = confusion_matrix(pairs, self.classes)
        return most_telling(matrix, self.classes, SHOWN_CLASSES)

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers that the dashboard lists, by role."""
        return {
            f"{model.role} {name}": round(value, 4)
            for model in self.report.models
            for name, value in (
                ("mAP50", model.measurable.get("map50")),
                ("mAP50-95", model.measurable.get("map")),
                ("latency ms p95", model.latency_ms_p95),
            )
            if value is not None
        }

    @property
    def sentence(self) -> str:
        """The result in one line."""
        model = self.report.of(self.subject) if self.subject else None
        if model is None:
            return "; ".join(["no model to evaluate", *self.report.absent.values()])
        if not model.measurable:
            return (
                f"mAP is {NOT_MEASURABLE}: none of {self.report.images:,} {self.report.split} "
                "images has a box"
            )
        at_half, overall = (precision_text(model.coco[name]) for name in ("map50", "map"))
        numbers = f"mAP50 {at_half}, mAP50-95 {overall}"
        others = [
            f"{LABELS[other.role]}: mAP50 {precision_text(other.coco['map50'])}"
            for other in self.report.models
            if other is not model
        ]
        images = f"{numbers} on {self.report.images:,} {self.report.split} images"
        return "; ".join([f"{LABELS[model.role]}: {images}", *others])


def evaluate(
    reader: SnapshotReader,
    folders: Mapping[Role, str | Path],
    split: str = "test",
    policies: Policy = POLICIES,
) -> Evaluation:
    """Run all models on the held-out images, and compute their metrics on one split.

    A package in two roles is run once. Boxes of a class that the snapshot does not have are
    ignored. A damaged package is absent, with the reason.

    Args:
        reader: The snapshot.
        folders: A `PackageLayout` by role, a `RegisteredLayout` for the champion, or a folder
            with the reason why there is no model.
        split: `test`, or `validation` for a search that must not see the frozen images.
        policies: Gives confidence and resamples, timed images, and new hard cases.

    Raises:
        UserError: If the split is neither, or has no images.
    """
    images = _images(reader, split)
    loaded = open_all(folders)
    truth = CocoTruth(images, reader.info.classes)
    answers = _predictions(reader, images, loaded, policies.evaluation.max_timed_images)
    measured = _measured(truth, answers)
    asked = valid(loaded.suite, images)
    models = tuple(
        _numbers(role, opened, answers[role], measured[role], asked)
        for role, opened in loaded.present.items()
    )
    duels = _duels(truth, measured, models, policies.promotion)
    report = _report(reader, split, truth, loaded, models, duels, len(asked))
    subject = _subject(models)
    comparisons = _compared(truth, answers[subject]) if subject else {}
    suites = by_role(loaded.suite, truth.images, answers, truth.classes, policies.evaluation)
    few = policies.promotion.few(report.images, split)
    return Evaluation(report, answers, measured, subject, comparisons, truth.classes, suites, few)


def _report(
    reader: SnapshotReader,
    split: str,
    truth: CocoTruth,
    loaded: LoadedModels,
    models: tuple[ModelReport, ...],
    duels: tuple[Duel, ...],
    hard_cases: int,
) -> Report:
    return Report(
        dataset=reader.info.dataset,
        snapshot=reader.info.id,
        split=split,
        images=len(truth.images),
        boxes=sum(len(image.boxes) for image in truth.images),
        models=models,
        absent={**loaded.absent},
        slice_boxes=truth.slice_boxes(),
        damaged=tuple(loaded.damaged),
        duels=duels,
        hard_cases=hard_cases,
    )


def _images(reader: SnapshotReader, split: str) -> list[SnapshotImage]:
    if split not in ("validation", "test"):
        raise UserError(f"split is {split!r}, expected validation or test")
    images, snapshot = [it for it in reader.images() if it.split == split], reader.info.id[:12]
    if not images:
        raise UserError(f"snapshot {snapshot} has no {split} images to compare models on")
    return images


def _predictions(
    reader: SnapshotReader, images: Sequence[SnapshotImage], loaded: LoadedModels, timed: int
) -> dict[Role, Predictions]:
    if images[0].split == "test":  # the reference of drift detection is both splits
        images = [*reader.images("validation"), *images]
    distinct = loaded.distinct
    said = follow(len(images), "images")
    answers = predict(distinct, images, reader.read, said, timed) if distinct else {}
    return {role: answers[opened.detector.digest] for role, opened in loaded.present.items()}


def _measured(truth: CocoTruth, answers: Mapping[Role, Predictions]) -> dict[Role, Measured]:
    by_digest = {answer.detector.digest: answer for answer in answers.values()}
    measured = {digest: truth.measure(answer.boxes) for digest, answer in by_digest.items()}
    return {role: measured[answer.detector.digest] for role, answer in answers.items()}


def _numbers(
    role: Role,
    opened: LoadedModel,
    answers: Predictions,
    measured: Measured,
    asked: Sequence[HardCase],
) -> ModelReport:
    return ModelReport(
        role=role,
        model=opened.detector.digest,
        coco=measured.coco,
        slices=measured.slices,
        latency_ms_p50=round(answers.latency(50), 3),
        latency_ms_p95=round(answers.latency(95), 3),
        size_bytes=opened.size_bytes,
        memory_mb=opened.memory_mb,
        hard_kept=count_kept(asked, answers),
    )


def _duels(
    truth: CocoTruth,
    measured: Mapping[Role, Measured],
    models: Sequence[ModelReport],
    policy: PromotionPolicy,
) -> tuple[Duel, ...]:
    """Compare every candidate with the champion, unless it is the same model."""
    champion = next((model for model in models if model.role == "champion"), None)
    if champion is None:
        return ()
    candidates = [model.role for model in models if model.model != champion.model]
    bootstrap = PairedBootstrap(truth, policy, len(candidates))
    return tuple(
        bootstrap.compare(role, measured[role], measured["champion"]) for role in candidates
    )


def _subject(models: Iterable[ModelReport]) -> Role | None:
    ranked = sorted(models, key=lambda model: (model.role != "champion", model.rank))
    return ranked[-1].role if ranked else None


def _compared(truth: CocoTruth, answers: Predictions) -> dict[str, ImageErrors]:
    served = {sha256: answers.served(boxes) for sha256, boxes in answers.boxes.items()}
    return compare_all(truth.images, served, truth.classes)
