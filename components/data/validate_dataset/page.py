"""Write the HTML page of a snapshot: images with boxes, distributions and findings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.data.validate_dataset.check import Finding
from components.data.validate_dataset.distributions import distributions
from components.data.validate_dataset.inspect_images import InspectedImage
from components.data.validate_dataset.verdict import ValidationVerdict, Word, weight
from components.shared.contracts.annotation import Box
from components.shared.contracts.events import SPLITS
from components.shared.contracts.policy import ValidationPolicy
from components.shared.contracts.record import digest_of
from components.shared.contracts.snapshot import SnapshotInfo
from components.shared.pages.fragments import (
    Card,
    Tone,
    badge,
    boxes_text,
    cards,
    gallery,
    sentence,
    table,
    text,
)
from components.shared.pages.page import Fragment, Section, write_page
from components.shared.store.snapshots import ImageReader
from components.shared.vision.draw import class_colour, draw_boxes
from components.shared.vision.jpeg import decode_jpeg

SHOWN_FINDINGS = 60
SHOWN_IMAGES = 8
DRAWN_BOXES = 500  # of one picture
THUMBNAIL = 320
TONES: dict[Word, Tone] = {"ok": "", "warn": "warn", "fail": "bad"}
SAID: dict[Word, str] = {"ok": "noted", "warn": "warning", "fail": "error"}

Shown = Iterator[tuple[NDArray[np.uint8], str]]


def write_validation_page(
    path: str | Path,
    info: SnapshotInfo,
    pictures: Sequence[InspectedImage],
    findings: Sequence[Finding],
    verdict: ValidationVerdict,
    policy: ValidationPolicy,
    reader: ImageReader,
) -> None:
    """Write the page of a snapshot.

    Args:
        path: The HTML file.
        info: Description of the snapshot.
        pictures: All of its images.
        findings: All that is wrong.
        verdict: Decision that follows from the findings.
        policy: Which findings fail and warn.
        reader: Gives the bytes of the images that are shown.
    """
    sections = [
        Section("Contents", [_cards(info, verdict), _sides(info)]),
        Section("Errors and warnings", _findings(findings, policy)),
        Section("Excluded images", _kept_away(info)),
    ]
    wrong = _wrong(pictures, findings, policy)
    if wrong:
        shown = gallery(_drawn(wrong[:SHOWN_IMAGES], info, reader), max_bytes=500_000)
        sections.append(Section("Images with errors or warnings", [shown]))
    for split in SPLITS:
        drawn = list(_drawn(_drawn_lots(info, pictures, split), info, reader))
        sections.append(Section(f"Sample of {split} images", [gallery(drawn, max_bytes=700_000)]))
    sections.append(Section("Distributions", [distributions(info, pictures)]))
    title = f"Dataset {info.dataset}, snapshot {info.id[:12]}"
    write_page(path, title, sections, sentence(verdict.reason))


def _cards(info: SnapshotInfo, verdict: ValidationVerdict) -> Fragment:
    images, boxes = sum(info.images.values()), sum(info.boxes.values())
    tone: Tone = TONES[verdict.word] or "good"
    return cards(
        Card("verdict", verdict.word, tone=tone),
        Card("images", images),
        Card("boxes", boxes, f"{boxes / max(1, images):.1f} an image"),
        Card("classes", len(info.classes), ", ".join(info.classes[:4])),
        Card("left out", len(info.left_out), "images", tone="warn" if info.left_out else ""),
        Card("in quarantine", sum(info.refused.values()), "files"),
    )


def _sides(info: SnapshotInfo) -> Fragment:
    total = max(1, sum(info.images.values()))
    rows = [
        (split, info.images[split], f"{info.images[split] / total:.0%}", info.boxes[split])
        for split in SPLITS
    ]
    return table(["split", "images", "share", "boxes"], rows)


def _findings(findings: Sequence[Finding], policy: ValidationPolicy) -> list[Fragment]:
    if not findings:
        return [text("None.")]
    counts = Counter(finding.reason for finding in findings)
    words = {reason: weight(reason, policy) for reason in counts}
    order = sorted(counts, key=lambda reason: (["fail", "warn", "ok"].index(words[reason]), reason))
    summary = [
        (badge(SAID[words[reason]], TONES[words[reason]]), reason, counts[reason])
        for reason in order
    ]
    ranked = sorted(findings, key=lambda finding: order.index(finding.reason))
    rows = [(finding.reason, finding.detail) for finding in ranked[:SHOWN_FINDINGS]]
    listed = [table(["effect", "reason", "count"], summary), table(["reason", "detail"], rows)]
    more = len(findings) - len(rows)
    return [*listed, text(f"and {more:,} more")] if more else listed


def _kept_away(info: SnapshotInfo) -> list[Fragment]:
    rows = [("left out of the snapshot", *pair) for pair in _tally(info.left_out.values())]
    rows += [("in quarantine", *pair) for pair in info.refused.items()]
    if not rows:
        return [text("None: the snapshot has all labelled images.")]
    return [table(["state", "reason", "files"], rows)]


def _tally(reasons: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(reasons).items())


def _wrong(
    pictures: Sequence[InspectedImage], findings: Sequence[Finding], policy: ValidationPolicy
) -> list[InspectedImage]:
    worst = {f.sha256 for f in findings if weight(f.reason, policy) != "ok"}
    return [picture for picture in pictures if picture.sha256 in worst and picture.found]


def _drawn_lots(
    info: SnapshotInfo, pictures: Sequence[InspectedImage], split: str
) -> list[InspectedImage]:
    """Return some images of a split; the lot follows from names, so the page repeats."""
    here = [picture for picture in pictures if picture.split == split and picture.found]
    return sorted(here, key=lambda picture: digest_of([info.id, picture.sha256]))[:SHOWN_IMAGES]


def _drawn(pictures: Iterable[InspectedImage], info: SnapshotInfo, reader: ImageReader) -> Shown:
    for picture in pictures:
        image = decode_jpeg(reader.read(picture.sha256))
        boxes = [
            Box.model_construct(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max, label=label)
            for (x_min, y_min, x_max, y_max), label in zip(
                picture.boxes[:DRAWN_BOXES].tolist(), picture.labels, strict=False
            )
        ]
        colours = [class_colour(box.label, info.classes) for box in boxes]
        captions = None if len(info.classes) > 1 else ()
        total = len(picture.labels)
        count = boxes_text(total)
        count += f", {len(boxes)} drawn" if total > len(boxes) else ""
        caption = f"{picture.name} · {picture.camera} · {count}"
        thickness = max(1.4, image.shape[1] / THUMBNAIL * 1.4)  # it is shown smaller
        yield draw_boxes(image, boxes, colours, captions, thickness), caption
