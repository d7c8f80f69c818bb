"""Write the drift page: verdict, distance of each descriptor, and the most unusual frames."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from components.monitoring.detect_drift.measure import Pair, column
from components.monitoring.detect_drift.observe import ObservedFrame
from components.shared.contracts.report import DriftReport
from components.shared.pages.chart import histogram
from components.shared.pages.fragments import (
    Card,
    Tone,
    badge,
    boxes_text,
    cards,
    columns,
    gallery,
    sentence,
    table,
    text,
)
from components.shared.pages.page import Section, write_page
from components.shared.vision.draw import draw_boxes
from components.shared.vision.jpeg import decode_jpeg

SHOWN = 8  # frames of each kind
MEANING = {
    "brightness": "mean grey level, 0 to 1",
    "contrast": "standard deviation of the grey levels, 0 to 1",
    "saturation": "mean colour saturation, 0 to 1",
    "warmth": "mean of red minus blue, -1 to 1",
    "dark_share": "share of dark pixels, 0 to 1",
    "bright_share": "share of overexposed pixels, 0 to 1",
    "sharpness": "logarithm of the Laplacian's variance",
    "noise": "noise between adjacent pixels, grey levels",
    "boxes": "boxes an image",
    "mean_score": "mean score of the boxes, 0 to 1",
    "low_score_share": "share of boxes with a score below 0.5, 0 to 1",
    "box_size": "median side of a box, as a share of the image's",
}

Read = Callable[[ObservedFrame], bytes]


def write_drift_page(path: str | Path, report: DriftReport, pair: Pair, read: Read) -> None:
    """Write the drift page of one window.

    Args:
        path: File of the page.
        report: The drift report.
        pair: The frames that were compared.
        read: Returns the JPEG of a frame.
    """
    sections = [Section("Result", [_cards(report)])]
    if report.findings:
        details = (sentence(finding.detail) for finding in report.findings)
        sections.append(Section("Faulty frames", [text(*details)]))
    if report.enough:
        order = sorted(report.distances, key=lambda name: _excess(report, name), reverse=True)
        strange = _by_strangeness(pair, order)
        sections += [
            Section("Medians of the descriptors", [_table(report, pair, order)]),
            Section(
                "Frames least similar to the reference",
                [_gallery(strange[:SHOWN], pair, order, read)],
            ),
            Section(
                "Frames most similar to the reference",
                [_gallery(strange[::-1][:SHOWN], pair, order, read)],
            ),
            Section("Distributions", [columns(*(_chart(pair, name) for name in order))]),
        ]
    write_page(path, f"Drift of {report.dataset}", sections, lead=_lead(report))


def _verdict(report: DriftReport) -> tuple[str, str, Tone]:
    if report.suspicious:
        return "faulty frames", "inspect the frames", "bad"
    if not report.enough:
        return "none", "no comparison possible", "warn"
    if report.changed:
        return "drift", "the frames differ from the reference", "bad"
    return "no drift", "the frames are like the reference", "good"


def _lead(report: DriftReport) -> str:
    verdict = _verdict(report)[1].capitalize()
    found = [sentence(finding.detail) for finding in report.findings]
    return " ".join([f"{verdict}.", *found, sentence(report.reason)])


def _cards(report: DriftReport) -> Markup:
    beyond = f"{len(report.drifted)} of {len(report.distances)}" if report.enough else "-"
    model = report.model[:8] if report.model else "none"
    return cards(
        Card("verdict", *_verdict(report)),
        Card("drifted", beyond, "descriptors"),
        Card("frames", report.frames, f"window {report.window[:12]}"),
        Card("reference", report.reference_frames, "held-out frames of the champion"),
        Card("champion", model, "model in service"),
    )


def _excess(report: DriftReport, name: str) -> float:
    return report.distances[name] - report.thresholds[name]


def _table(report: DriftReport, pair: Pair, order: Sequence[str]) -> Markup:
    head = (
        "descriptor", "", "reference", "window", "KS distance", "threshold",
        "meaning",
    )  # fmt: skip
    return table(head, [_row(report, pair, name) for name in order])


def _row(report: DriftReport, pair: Pair, name: str) -> tuple[object, ...]:
    beyond = name in report.drifted
    return (
        name.replace("_", " "),
        badge("drifted", "bad") if beyond else badge("not drifted", "good"),
        float(np.median(column(pair.reference, name))),
        float(np.median(column(pair.current, name))),
        report.distances[name],
        report.thresholds[name],
        MEANING.get(name, ""),
    )


def _chart(pair: Pair, name: str) -> Markup:
    series = {"reference": column(pair.reference, name), "window": column(pair.current, name)}
    return histogram(series, title=name.replace("_", " "), x_label=MEANING.get(name, ""))


def _scores(pair: Pair, name: str) -> NDArray[np.float64]:
    """Return the distance of each frame from the reference, in standard deviations, `[N]`."""
    usual = column(pair.reference, name)
    away: NDArray[np.float64] = np.abs(column(pair.current, name) - usual.mean())
    return away / max(float(usual.std()), 1e-3)


def _by_strangeness(pair: Pair, names: Sequence[str]) -> list[ObservedFrame]:
    total = np.mean([np.minimum(_scores(pair, name), 10) for name in names], axis=0)
    return [pair.current[place] for place in np.argsort(-total, kind="stable")]


def _gallery(
    frames: Sequence[ObservedFrame], pair: Pair, order: Sequence[str], read: Read
) -> Markup:
    if not frames:
        return text("There are no frames.")
    return gallery(_pictures(frames, pair, order[:2], read))


def _pictures(
    frames: Sequence[ObservedFrame], pair: Pair, names: Sequence[str], read: Read
) -> Iterator[tuple[NDArray[np.uint8], str]]:
    usual = {name: float(np.median(column(pair.reference, name))) for name in names}
    for frame in frames:
        labels = ", ".join(
            f"{name.replace('_', ' ')} {frame.descriptors[name]:.2f} (reference {usual[name]:.2f})"
            for name in names
        )
        picture = draw_boxes(decode_jpeg(read(frame)), frame.boxes)
        yield picture, f"{frame.camera}, {boxes_text(len(frame.boxes))}: {labels}"
