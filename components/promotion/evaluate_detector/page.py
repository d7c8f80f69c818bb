"""HTML page of a comparison: metrics, slices, precision-recall curve, confusion matrix, errors."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from markupsafe import Markup

from components.promotion.evaluate_detector.coco import Floats
from components.promotion.evaluate_detector.crops import close_up, whole
from components.promotion.evaluate_detector.errors import KINDS, Error, Kind, worst
from components.promotion.evaluate_detector.evaluate import SHOWN_CLASSES, Evaluation
from components.promotion.evaluate_detector.numbers import count_errors, numbers
from components.promotion.evaluate_detector.slices import CROWDS, HOURS, SIZES
from components.shared.contracts.progress import log_progress
from components.shared.contracts.record import write_lines
from components.shared.contracts.report import LABELS, ReferencesLayout, Role
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.pages.chart import bar_chart, heatmap, histogram, pr_curve
from components.shared.pages.fragments import columns, gallery, sentence, text
from components.shared.pages.page import Section, write_page
from components.shared.store.snapshots import SnapshotReader
from components.shared.vision.jpeg import Image, decode_jpeg

CLOSE_UPS, PICTURES, BARS = 8, 8, 14
TITLES: dict[Kind, str] = {
    "missed": "Missed: the largest objects without a box",
    "false": "False positives: the boxes with the highest scores where no object is",
    "badly placed": "Poorly localised: boxes whose IoU with their object is below 0.5",
    "mistaken": "Wrong class: objects with a box of another class",
}
NATURAL = {"size": tuple(SIZES), "hour": HOURS, "crowding": tuple(CROWDS.values())}
TITLES_OF_SLICES = {
    "class": "By class", "size": "By size of the object", "camera": "By camera",
    "hour": "By hour of the day, UTC", "crowding": "By objects in the image",
}  # fmt: skip
PRECISION = "Precision over recall at IoU 0.5"
NO_PRECISION = "Precision is not measurable: no image has a box"
LEGEND = "Green: labels. Orange: boxes of the model, as it would answer in service."


def publish(
    evaluation: Evaluation,
    reader: SnapshotReader,
    report: str | Path,
    references: str | Path,
    page: str | Path,
) -> None:
    """Write report, references and page of a comparison.

    Args:
        evaluation: The comparison.
        reader: The snapshot of the comparison, for the pictures.
        report: File for the `contracts.report.Report`.
        references: Folder for held-out frames and hard cases, a `ReferencesLayout`.
        page: The HTML file.
    """
    evaluation.report.write(report)
    layout = ReferencesLayout(references)
    layout.root.mkdir(parents=True, exist_ok=True)
    for role, answer in evaluation.answers.items():
        write_lines(answer.frames, layout.frames(role))
        write_lines(evaluation.suites[role], layout.hard(role))
    write_evaluation_page(page, evaluation, reader)
    log_progress(evaluation.sentence)


def write_evaluation_page(path: str | Path, evaluation: Evaluation, reader: SnapshotReader) -> None:
    """Write the HTML page of a comparison.

    Args:
        path: The HTML file.
        evaluation: The comparison.
        reader: The snapshot of the comparison, for the pictures.
    """
    sections = [numbers(evaluation)]
    if evaluation.subject:
        pictures = _Pictures(reader)
        sections += [
            _slices(evaluation),
            _curves(evaluation, evaluation.subject),
            _errors(evaluation, evaluation.subject, pictures),
            _whole_pictures(evaluation, evaluation.subject, pictures),
        ]
    title = f"Comparison of models of {evaluation.report.dataset}"
    write_page(path, title, sections, sentence(evaluation.sentence))


class _Pictures:
    """Pictures of the snapshot, decoded on access."""

    def __init__(self, reader: SnapshotReader) -> None:
        self.images = {image.sha256: image for image in reader.images()}
        self._reader = reader

    def __getitem__(self, sha256: str) -> tuple[SnapshotImage, Image]:
        return self.images[sha256], decode_jpeg(self._reader.read(sha256))


def _slices(evaluation: Evaluation) -> Section:
    charts = [
        bar_chart(
            [f"{name} ({counts[name]:,})" for name in names],
            {
                LABELS[model.role]: [model.slices[kind].get(name, 0.0) for name in names]
                for model in evaluation.report.models
            },
            title=TITLES_OF_SLICES[kind] + _cut(len(names), len(counts)),
            x_label="mAP50 (in brackets: objects)",
        )
        for kind, counts in evaluation.report.slice_boxes.items()
        if len(names := _shown(kind, counts)) > 1
    ]
    return Section(
        "mAP50 by slice",
        [columns(*charts) if charts else text("There is one slice of each kind.")],
    )


def _cut(shown: int, known: int) -> str:
    return f", the {shown} of {known} with most objects" if shown < known else ""


def _shown(kind: str, counts: Mapping[str, int]) -> list[str]:
    """Return the slices of a kind to draw: in natural order, or the largest first."""
    if kind in NATURAL:
        return [name for name in NATURAL[kind] if name in counts]
    return sorted(counts, key=lambda name: -counts[name])[:BARS]


def _curves(evaluation: Evaluation, subject: Role) -> Section:
    names, counts = evaluation.confusion
    curves: dict[str, tuple[Floats, Floats]] = {
        LABELS[role]: (measured.recall, measured.precision)
        for role, measured in evaluation.measured.items()
        if measured.precision.size
    }
    latencies: dict[str, list[float]] = {
        LABELS[role]: answers.latency_ms for role, answers in evaluation.answers.items()
    }
    classes = len(evaluation.classes)
    few = f": the {SHOWN_CLASSES} of {classes} classes with most errors"
    title = f"Confusion matrix{few if classes > SHOWN_CLASSES else ''}, {LABELS[subject]}"
    matrix = heatmap(
        counts, names, names, title=title,
        row_label="label", column_label="answer",
    )  # fmt: skip
    return Section(
        "Precision, confusion, latency",
        [
            columns(
                pr_curve(curves, title=PRECISION if curves else NO_PRECISION),
                matrix,
                histogram(latencies, title="Latency of one image", x_label="CPU time, ms"),
            )
        ],
    )


def _errors(evaluation: Evaluation, subject: Role, pictures: _Pictures) -> Section:
    counts = count_errors(evaluation.comparisons)
    errors = {sha256: each.errors for sha256, each in evaluation.comparisons.items()}
    shown: list[Markup] = [text(LEGEND)]
    for kind in KINDS:
        chosen = worst(errors, kind, CLOSE_UPS)
        if chosen:
            items = ((_close_up(pictures, *each)) for each in chosen)
            shown += [text(f"{TITLES[kind]} ({counts[kind]:,} in total)."), gallery(items, 240)]
    return Section(f"Worst errors of the {LABELS[subject]}", shown)


def _close_up(pictures: _Pictures, sha256: str, error: Error) -> tuple[Image, str]:
    image, picture = pictures[sha256]
    truth, found = ([box] if box else [] for box in (error.truth, error.found))
    return close_up(picture, truth, found), f"{error}, {Path(image.source_name).name}"


def _whole_pictures(evaluation: Evaluation, subject: Role, pictures: _Pictures) -> Section:
    errors = {sha256: len(each.errors) for sha256, each in evaluation.comparisons.items()}
    chosen = sorted(errors, key=lambda sha256: (-errors[sha256], sha256))[:PICTURES]
    return Section(
        "Images with most errors",
        [text(LEGEND), gallery(_drawn(evaluation, subject, pictures, chosen), 420)],
    )


def _drawn(
    evaluation: Evaluation, subject: Role, pictures: _Pictures, chosen: list[str]
) -> Iterator[tuple[Image, str]]:
    answers = evaluation.answers[subject]
    for sha256 in chosen:
        image, picture = pictures[sha256]
        errors = evaluation.comparisons[sha256].errors
        found = answers.served(answers.boxes[sha256])
        caption = f"{len(image.boxes)} objects, {len(errors)} errors, {image.camera}"
        yield whole(picture, image.boxes, found), caption
