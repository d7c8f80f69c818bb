"""HTML page of a package check: images and boxes, cost against limits, reason of a rejection."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.promotion.check_model.check import Checked
from components.promotion.check_model.smoke_test import SmokeMeasurements
from components.shared.contracts.policy import CheckPolicy
from components.shared.pages.fragments import Card, cards, gallery, sentence, table, text
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
        write_page(path, "No trial", [], sentence(checked.sentence))
        return
    sections = [Section("What it was allowed", [_limits(checked, policy)])]
    if checked.seen:
        sections.insert(0, Section("What it cost", [_cards(checked, checked.seen)]))
        sections.append(Section("What it answered", [gallery(_answers(checked, checked.seen))]))
    else:
        sections.insert(0, Section("Refused", [text(checked.reason)]))
    title = f"Trial of model {checked.model[:12]}"
    write_page(path, title, sections, sentence(checked.sentence))


def _cards(checked: Checked, seen: SmokeMeasurements) -> Fragment:
    return cards(
        Card("verdict", "may be served", tone="good"),
        Card("answer", f"{seen.answer_ms:.1f} ms", "median, over HTTP, one thread"),
        Card("load", f"{seen.load_s:.2f} s", "its golden pictures included"),
        Card("memory", f"{seen.memory_mb:.0f} MB", "most of the whole server at once"),
        Card("files", f"{checked.megabytes:.1f} MB"),
        Card("pictures", len(checked.pictures), "each asked about three times"),
    )


def _limits(checked: Checked, policy: CheckPolicy) -> Fragment:
    seen = checked.seen
    rows = [
        ("files, MB", checked.megabytes, policy.size_mb),
        ("load, s", seen.load_s if seen else "", policy.load_seconds),
        ("answer, median, ms", seen.answer_ms if seen else "", policy.answer_ms),
        ("one answer, s", "", policy.answer_seconds),
        ("address space of the server, MB", "", float(policy.memory_mb)),
        ("CPU of the server, s", "", float(policy.cpu_seconds)),
        ("outgoing connections, credentials, links, operators of one's own", "", "none"),
    ]
    return table(("what", "found", "limit"), rows)


def _answers(checked: Checked, seen: SmokeMeasurements) -> Iterator[tuple[NDArray[np.uint8], str]]:
    for picture, boxes in zip(checked.pictures, seen.boxes, strict=True):
        count = "1 box" if len(boxes) == 1 else f"{len(boxes)} boxes"
        captions = None if len({box.label for box in boxes}) > 1 else ()
        yield draw_boxes(picture.image, boxes, captions=captions), f"{picture.name}: {count}"
