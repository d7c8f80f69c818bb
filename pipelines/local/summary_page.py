"""Write the summary page of a local run, one HTML file that embeds all other pages."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from components.shared.contracts.record import read_lines
from components.shared.contracts.report import LABELS, DriftReport, Report, precision_text
from components.shared.contracts.snapshot import (
    SnapshotInfo,
    SnapshotLayout,
    WindowFrame,
    WindowLayout,
)
from components.shared.pages.fragments import (
    Card,
    boxes_text,
    cards,
    enclosed,
    gallery,
    sentence,
    table,
    text,
)
from components.shared.pages.page import Section, write_page
from components.shared.store.objects import Objects
from components.shared.store.snapshots import ImageReader
from components.shared.vision.draw import draw_boxes
from components.shared.vision.jpeg import decode_jpeg
from pipelines.local.local_stack import LocalStack
from pipelines.local.run import LocalRun

MAX_BYTES = 60_000_000  # a file on a disk, not an artifact in the dashboard
PICTURES = 8  # of a window
STRIDE = 3  # from the busiest frame down, so that not all are of one camera

# Task and artifact of each page that is enclosed, and what to call it.
PAGES = (
    ("validate-dataset", "page", "Snapshot"),
    ("train-detector", "curves", "Training, fine-tuned"),
    ("train-detector-2", "curves", "Training, from scratch"),
    ("check-model", "page", "Package check, fine-tuned"),
    ("check-model-2", "page", "Package check, from scratch"),
    ("evaluate-detector", "page", "Evaluation"),
    ("deploy-model", "page", "Canary rollout"),
    ("detect-drift", "page", "Drift"),
    ("detect-drift", "evidently", "Drift, by Evidently"),
    ("score-dataset", "page", "Batch inference"),
)


def write_summary_page(
    runs: Sequence[tuple[str, LocalRun]], dataset: str, stack: LocalStack
) -> Path:
    """Write the summary page of a successful run to `<dataset>.html` in the state folder.

    Args:
        runs: The runs of pipelines and jobs in order, each with its title.
        dataset: Name of the dataset.
        stack: The running services.
    """
    page = stack.state / f"{dataset}.html"
    objects = Objects(stack.env["OBJECT_STORE_URL"])
    sections = [
        Section("Model", list(_model(runs))),
        Section("Monitoring", list(_watched(runs, objects))),
        Section("All steps", [_steps(runs)]),
        Section("All pages", list(_enclosed(runs))),
    ]
    write_page(page, f"{dataset}: summary of the run", sections, _lead(runs), MAX_BYTES)
    return page


def _named(runs: Sequence[tuple[str, LocalRun]], name: str) -> list[tuple[str, LocalRun]]:
    return [(title, run) for title, run in runs if run.name == name]


def _lead(runs: Sequence[tuple[str, LocalRun]]) -> str:
    sentences = [
        step.progress if name == "train" else f"{title}: {step.progress}"
        for name, task in (("train", "judge-model"), ("watch", "decide-retraining"))
        for title, run in _named(runs, name)
        if (step := run.step(task))
    ]
    return " ".join(map(sentence, sentences))


def _model(runs: Sequence[tuple[str, LocalRun]]) -> Iterator[Markup]:
    for _, run in _named(runs, "train"):
        snapshot = run.artifact("snapshot-dataset", "snapshot")
        report = run.artifact("evaluate-detector", "report")
        if snapshot is None or report is None:
            continue
        yield _numbers(SnapshotInfo.read(SnapshotLayout(snapshot).info), Report.read(report))
        yield from _comparison(Report.read(report))


def _numbers(info: SnapshotInfo, report: Report) -> Markup:
    best = max(report.models, key=lambda model: model.rank)
    return cards(
        Card("mAP50", precision_text(best.coco["map50"]), f"on {report.images:,} test images"),
        Card("mAP50-95", precision_text(best.coco["map"]), f"{report.boxes:,} labelled boxes"),
        Card("latency", f"{best.latency_ms_p50:.0f} ms", "median, one image, one thread"),
        Card(
            "package size",
            f"{best.size_bytes / 1e6:.1f} MB",
            f"{LABELS[best.role]}, {best.model[:12]}",
        ),
        Card("images", sum(info.images.values()), f"snapshot {info.id[:12]}"),
        Card("boxes", sum(info.boxes.values()), ", ".join(info.classes)),
    )


def _comparison(report: Report) -> Iterator[Markup]:
    rows: list[Sequence[str | float]] = [
        (
            LABELS[model.role],
            model.model[:12],
            precision_text(model.coco["map50"]),
            precision_text(model.coco["map"]),
            f"{model.latency_ms_p50:.0f}",
        )
        for model in report.models
    ]
    yield table(("role", "model", "mAP50", "mAP50-95", "latency, ms"), rows)
    if report.absent:
        yield text(*(f"No {LABELS[role]}: {why}." for role, why in report.absent.items()))


def _watched(runs: Sequence[tuple[str, LocalRun]], objects: Objects) -> Iterator[Markup]:
    for title, run in _named(runs, "watch"):
        drift = run.artifact("detect-drift", "drift")
        window = run.artifact("extract-window", "window")
        decided = run.step("decide-retraining")
        if drift is None or window is None or decided is None:
            continue
        report = DriftReport.read(drift)
        decision = decided.progress.partition(":")[0]  # its numbers are those of the report
        reasons = map(sentence, filter(None, (report.details, report.reason)))
        yield text(" ".join([f"{title}: {decision}.", *reasons]))
        yield gallery(_served(WindowLayout(window), objects), width=360)


def _served(window: WindowLayout, objects: Objects) -> Iterator[tuple[NDArray[np.uint8], str]]:
    frames = read_lines(WindowFrame, window.frames)
    reader = ImageReader(window.index, objects)
    busiest = sorted(frames, key=lambda frame: (-len(frame.boxes), frame.sha256))
    for frame in busiest[: PICTURES * STRIDE : STRIDE]:
        picture = draw_boxes(decode_jpeg(reader.read(frame.sha256)), frame.boxes, captions=())
        yield picture, f"{frame.camera}: {boxes_text(len(frame.boxes))}, {frame.latency_ms:.0f} ms"


def _steps(runs: Sequence[tuple[str, LocalRun]]) -> Markup:
    rows = [
        (title if step is run.steps[0] else "", step.title, f"{step.seconds:.1f}", step.progress)
        for title, run in runs
        for step in run.steps
    ]
    return table(("run", "step", "seconds", "result"), rows)


def _enclosed(runs: Sequence[tuple[str, LocalRun]]) -> Iterator[Markup]:
    for title, run in runs:
        for task, artifact, name in PAGES:
            page = run.artifact(task, artifact)
            if page is not None:
                yield enclosed(name, page.read_text(), title)
