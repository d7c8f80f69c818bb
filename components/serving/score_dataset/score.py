"""Batch inference: run a detector on images, and write COCO JSON and a page.

An image that cannot be read is listed with its reason; the others are scored.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from components.serving.score_dataset.source import Source
from components.shared.contracts.absence import absence
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import RegisteredLayout
from components.shared.contracts.progress import follow, log_progress
from components.shared.contracts.record import canonical
from components.shared.inference.detector import Detector
from components.shared.pages.fragments import Card, boxes_text, cards, gallery, table, text
from components.shared.pages.page import Section, write_page
from components.shared.vision.draw import class_colour, draw_boxes
from components.shared.vision.jpeg import Image, JpegError, decode_jpeg

PICTURES, NAMED = 12, 50


@dataclass(frozen=True, slots=True)
class Scored:
    """The result of a batch.

    Attributes:
        images: `images` of COCO JSON, in order.
        annotations: `annotations` of COCO JSON, each with its score.
        refused: Reasons by file name, of pictures that could not be read.
    """

    images: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The result in one line."""
        counts = f"{len(self.images):,} images scored, {len(self.annotations):,} boxes found"
        return f"{counts}; {len(self.refused):,} unreadable" if self.refused else counts


def score_pictures(
    champion: str | Path, sources: Sequence[Source], detections: str | Path, page: str | Path
) -> int:
    """Run the champion on pictures, and write COCO JSON and a page.

    Args:
        champion: A `RegisteredLayout`, or absent with a reason.
        sources: The pictures.
        detections: The COCO JSON file, with `score` in each annotation, and `refused`.
        page: The HTML file.

    Returns:
        Number of pictures that were scored.

    Raises:
        UserError: If there is no champion.
        PackageError: If its package is damaged.
    """
    why = absence(champion)
    if why:
        raise UserError(f"no model to score with: {why}")
    detector = Detector.open(RegisteredLayout(champion).package)
    scored = score(detector.detect, detector.info.classes, sources)
    for name, reason in list(scored.refused.items())[:NAMED]:
        log_progress(f"{name} is left out: {reason}")
    content = _coco(scored, detector.info.classes, detector.digest, detector.info.dataset)
    Path(detections).write_text(canonical(content) + "\n")
    _write_page(page, scored, detector, sources)
    log_progress(scored.sentence)
    return len(scored.images)


def score(
    detect: Callable[[Image], Sequence[ScoredBox]],
    classes: Sequence[str],
    sources: Sequence[Source],
) -> Scored:
    """Run a detector on pictures.

    Args:
        detect: Returns the boxes of a picture.
        classes: Names of the classes; `category_id` counts from one.
        sources: The pictures.
    """
    scored, progress = Scored(), follow(len(sources), "images")
    for done, source in enumerate(sources, 1):
        try:
            content = source.read()
            picture = decode_jpeg(content)
        except (JpegError, OSError) as cause:
            scored.refused[source.name] = str(cause)
            continue
        number = len(scored.images) + 1
        scored.images.append(
            {
                "id": number,
                "file_name": source.name,
                "width": picture.shape[1],
                "height": picture.shape[0],
                "sha256": sha256(content).hexdigest(),
            }
        )
        rows = _rows(detect(picture), classes, number, len(scored.annotations) + 1)
        scored.annotations.extend(rows)
        progress(done)
    return scored


def _rows(
    boxes: Iterable[ScoredBox], classes: Sequence[str], image: int, first: int
) -> Iterator[dict[str, Any]]:
    for number, box in enumerate(boxes, first):
        yield {
            "id": number,
            "image_id": image,
            "category_id": classes.index(box.label) + 1,
            "bbox": [round(value, 3) for value in (box.x_min, box.y_min, box.width, box.height)],
            "area": round(box.area, 3),
            "iscrowd": 0,
            "score": box.score,
        }


def _coco(scored: Scored, classes: Sequence[str], model: str, dataset: str) -> dict[str, Any]:
    return {
        "info": {"description": f"found by model {model}", "model": model, "dataset": dataset},
        "categories": [{"id": id_, "name": name} for id_, name in enumerate(classes, 1)],
        "images": scored.images,
        "annotations": scored.annotations,
        "refused": [{"file_name": name, "reason": why} for name, why in scored.refused.items()],
    }


def _write_page(
    path: str | Path, scored: Scored, detector: Detector, sources: Sequence[Source]
) -> None:
    numbers = cards(
        Card("images", len(scored.images)),
        Card("boxes", len(scored.annotations)),
        Card("unreadable", len(scored.refused), tone="warn" if scored.refused else ""),
        Card("model", detector.digest[:12], detector.info.dataset),
    )
    readable = [source for source in sources if source.name not in scored.refused]
    step = max(1, -(-len(readable) // PICTURES))
    sections = [
        Section("Result", [numbers]),
        Section("Sample of images", [gallery(_drawn(detector, readable[::step]))]),
    ]
    if scored.refused:
        named = list(scored.refused.items())[:NAMED]
        more = len(scored.refused) - len(named)
        rest = [text(f"{more:,} more are in the COCO file.")] if more else []
        shown = [table(("file", "reason"), named), *rest]
        sections.append(Section("Unreadable files", shown))
    write_page(path, "Batch inference", sections, f"{scored.sentence}.")


def _drawn(detector: Detector, sources: Iterable[Source]) -> Iterator[tuple[Image, str]]:
    for source in sources:
        picture = decode_jpeg(source.read())
        boxes = detector.detect(picture)
        colours = [class_colour(box.label, detector.info.classes) for box in boxes]
        # Where all are of one class, tags would only hide the neighbours.
        captions = () if len(detector.info.classes) == 1 else None
        drawn = draw_boxes(picture, boxes, colours, captions)
        yield drawn, f"{source.name}: {boxes_text(len(boxes))}"
