"""HTML page of a package check: images and boxes, cost against limits, reason of a rejection."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.promotion.check_model.check import Checked
from components.promotion.check_model.smoke_test import SmokeMeasurements
from components.shared.contracts.policy import CheckPolicy
from components.shared.pages.fragments import (
    Card,
    boxes_text,
    cards,
    gallery,
    sentence,
    table,
    text,
)
from components.shared.pages.page import Fragment, Section, write_page
from components.shared.vision.draw import draw_boxes


def write_check_page(checked: Checked, policy: CheckPolicy, path: str | Path) -> None:
    """Write the page of one check.

    Args:
        checked: Result of the check.
        policy: Limits of the check.
        path: The HTML file.
    """
    if not checked.model:
        write_page(path, "Package not checked", [], sentence(checked.sentence))
        return
    sections = [Section("Limits", [_limits(checked, policy)])]
    if checked.measured:
        sections.insert(0, Section("Measurements", [_cards(checked, checked.measured)]))
        sections.append(Section("Answers", [gallery(_answers(checked, checked.measured))]))
    else:
        sections.insert(0, Section("Refused", [text(checked.reason)]))
    title = f"Check of model {checked.model[:12]}"
    write_page(path, title, sections, sentence(checked.sentence))


def _cards(checked: Checked, measured: SmokeMeasurements) -> Fragment:
    return cards(
        Card("result", "passed", "may be served", tone="good"),
        Card("latency", f"{measured.answer_ms:.1f} ms", "median, over HTTP, one thread"),
        Card("load time", f"{measured.load_s:.2f} s", "with the check of golden images"),
        Card("memory", f"{measured.memory_mb:.0f} MB", "peak of the server process"),
        Card("package size", f"{checked.megabytes:.1f} MB"),
        Card("images", len(checked.pictures), "three requests each"),
    )


def _limits(checked: Checked, policy: CheckPolicy) -> Fragment:
    measured = checked.measured
    rows = [
        ("package size", f"{checked.megabytes:.1f} MB", f"{policy.max_size_mb:g} MB"),
        ("load time", f"{measured.load_s:.1f} s" if measured else "", f"{policy.max_load_s:g} s"),
        (
            "latency, median",
            f"{measured.answer_ms:.0f} ms" if measured else "",
            f"{policy.max_answer_ms:g} ms",
        ),
        ("timeout of an answer", "", f"{policy.max_answer_s:g} s"),
        ("address space of the server", "", f"{policy.max_memory_mb:,} MB"),
        ("CPU time of the server", "", f"{policy.max_cpu_s} s"),
        ("outgoing connections, credentials, links, custom operators", "", "none"),
    ]
    return table(("limit", "measured", "at most"), rows)


def _answers(
    checked: Checked, measured: SmokeMeasurements
) -> Iterator[tuple[NDArray[np.uint8], str]]:
    for picture, boxes in zip(checked.pictures, measured.boxes, strict=True):
        captions = None if len({box.label for box in boxes}) > 1 else ()
        yield (
            draw_boxes(picture.image, boxes, captions=captions),
            f"{picture.name}: {boxes_text(len(boxes))}",
        )
