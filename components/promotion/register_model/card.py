"""Write a model card: purpose, training data, metrics, limits and lineage of a model.

Source:
    Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from components.shared.contracts.annotation import Box
from components.shared.contracts.model import PackageInfo
from components.shared.contracts.report import ModelReport, Report, Verdict, precision_text
from components.shared.contracts.snapshot import SnapshotImage, SnapshotInfo
from components.shared.pages.markdown import markdown_table, plain
from components.shared.vision.letterbox import Letterbox

NUMBERS = {
    "map": "mAP50-95", "map50": "mAP50", "map75": "mAP75", "map_small": "mAP50-95, small objects",
    "map_medium": "mAP50-95, medium objects", "map_large": "mAP50-95, large objects",
    "mar_100": "recall, at most 100 boxes an image",
}  # fmt: skip
COSTS = {"latency_ms_p50": "latency, median, ms", "latency_ms_p95": "latency, 95th percentile, ms"}
MAX_ROWS = 12  # of one kind of slice; the weakest are shown
HOURS = 24


def model_card(
    package: PackageInfo,
    report: Report,
    model: ModelReport,
    snapshot: SnapshotInfo,
    images: Sequence[SnapshotImage],
    verdict: Verdict,
) -> str:
    """Return the model card as Markdown.

    Args:
        package: Description of the package.
        report: The comparison that the model won.
        model: Metrics of the model in that comparison.
        snapshot: Description of the training data.
        images: All images of the snapshot.
        verdict: The decision to promote it.
    """
    champion = report.of("champion")
    return "\n\n".join(
        [
            f"# {snapshot.dataset}: model {package.digest[:12]}",
            _purpose(package),
            f"Reason of its registration: {plain(verdict.reason)}",
            "## Training data",
            _data(snapshot, images),
            f"## Metrics on {report.images:,} {report.split} images with {report.boxes:,} objects",
            "No model was trained on these images.",
            _numbers(model, champion),
            *_slices(report, model, champion),
            "## Limits",
            _listed(_limits(package, report, snapshot, images, verdict.policy.min_slice_boxes)),
            "## Lineage",
            _lineage(package),
            "## Licence",
            "The code is under the Apache License 2.0. The training images keep their owners and "
            "licences, whose terms apply to the model too.",
        ]
    ) + "\n"  # fmt: skip


def _purpose(package: PackageInfo) -> str:
    picture = package.preprocessing
    return (
        f"Object detector for images of fixed cameras. Classes: {_names(package.classes)}. Input: "
        f"{picture.image_width}x{picture.image_height} pixels. Answer: boxes with scores, from "
        f"{package.postprocessing.score_threshold:g} on.\n\nIntended use: counting and monitoring "
        "traffic and parking. Out of scope: people, number plates, and decisions about a person."
    )


def _data(snapshot: SnapshotInfo, images: Sequence[SnapshotImage]) -> str:
    splits = [split for split in ("train", "validation", "test") if split in snapshot.images]
    by_class = Counter((image.split, box.label) for image in images for box in image.boxes)
    rows = [
        ("images", *(snapshot.images[split] for split in splits)),
        ("objects", *(snapshot.boxes.get(split, 0) for split in splits)),
        *((name, *(by_class[split, name] for split in splits)) for name in snapshot.classes),
        ("cameras", *(len({i.camera for i in images if i.split == split}) for split in splits)),
    ]
    days = sorted(image.captured_at.date() for image in images)
    when = f" from {days[0]} to {days[-1]}" if days else ""
    cameras = sorted({image.camera for image in images})
    who = f"Cameras: {_names(cameras[:MAX_ROWS])}" + (
        f" and {len(cameras) - MAX_ROWS} more" if len(cameras) > MAX_ROWS else ""
    )
    left_out = f" {len(snapshot.left_out):,} images were left out." if snapshot.left_out else ""
    table = markdown_table(("", *splits), rows, numbers=True)
    return f"{table}\n\n{who}. Images{when}.{left_out}"


def _numbers(model: ModelReport, champion: ModelReport | None) -> str:
    models = [model, champion] if champion else [model]
    rows: list[tuple[object, ...]] = [
        (title, *(_share(one.coco.get(name)) for one in models)) for name, title in NUMBERS.items()
    ]
    rows += [
        (title, *(f"{getattr(one, name):.1f}" for one in models)) for name, title in COSTS.items()
    ]
    rows.append(("package size, MB", *(f"{one.size_bytes / 1e6:.1f}" for one in models)))
    if model.memory_mb is not None:
        memory = (f"{one.memory_mb:,.0f}" if one.memory_mb else "" for one in models)
        rows.append(("memory without a server, MB", *memory))
    head = ("", "this model", "previous champion")[: 1 + len(models)]
    return markdown_table(head, rows, numbers=True)


def _slices(report: Report, model: ModelReport, champion: ModelReport | None) -> Iterable[str]:
    for kind, values in sorted(model.slices.items()):
        weakest = sorted(values, key=lambda name: (values[name], name))[:MAX_ROWS]
        before = champion.slices.get(kind, {}) if champion else {}
        boxes = report.slice_boxes.get(kind, {})
        width = 3 + bool(champion)
        rows = [
            (name, boxes.get(name, 0), _share(values[name]), _share(before.get(name)))[:width]
            for name in weakest
        ]
        more = f", the weakest {MAX_ROWS} of {len(values)}" if len(values) > MAX_ROWS else ""
        head = (kind, "objects", "this model", "previous champion")[:width]
        yield f"mAP50 by {kind}{more}:\n\n{markdown_table(head, rows, numbers=True)}"


def _limits(
    package: PackageInfo,
    report: Report,
    snapshot: SnapshotInfo,
    images: Sequence[SnapshotImage],
    min_boxes: int,
) -> Iterable[str]:
    seen = [image for image in images if image.split == "train"]
    if sides := sorted(_network_side(package, i, b) for i in seen for b in i.boxes):
        yield (
            "Small objects: only 5 % of the training objects have a shorter side below "
            f"{sides[len(sides) // 20]:.0f} pixels of the input."
        )
    hours = {image.captured_at.hour for image in seen}
    if seen and len(hours) < HOURS:
        missing = [hour for hour in range(HOURS) if hour not in hours]
        yield f"No training image was taken in these hours (UTC): {_spans(missing)}."
    for kind, counts in sorted(report.slice_boxes.items()):
        few = [f"{plain(name)} ({count})" for name, count in counts.items() if count < min_boxes]
        if few:
            named = ", ".join(few[:MAX_ROWS])
            yield (
                f"Fewer than {min_boxes} {report.split} objects, so mAP50 is uncertain, by "
                f"{kind}: {named}."
            )
    if snapshot.shared_groups:
        yield (
            f"{len(snapshot.shared_groups)} groups of images are in more than one split, so the "
            "metrics above may be too high."
        )
    yield "Other cameras, views and weather were not tested: measure before use."


def _network_side(package: PackageInfo, image: SnapshotImage, box: Box) -> float:
    """Return the shorter side of a box, in pixels of the network's input."""
    into = package.preprocessing
    fit = Letterbox(image.width, image.height, into.image_width, into.image_height)
    return min(box.width, box.height) * fit.scale


def _lineage(package: PackageInfo) -> str:
    lineage = package.lineage
    rows = [
        ("model", package.digest), ("format", package.format), ("dataset", lineage.dataset),
        ("snapshot", lineage.snapshot), ("code", lineage.code), ("started from", lineage.start),
        ("seed", lineage.seed), ("training", lineage.fingerprint),
        *sorted(lineage.settings.items()),
    ]  # fmt: skip
    return markdown_table(("name", "value"), ((name, str(value)) for name, value in rows))


def _listed(sentences: Iterable[str]) -> str:
    return "\n".join(f"* {sentence}" for sentence in sentences)


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(plain, names))


def _share(value: float | None) -> str:
    return "" if value is None else precision_text(value)


def _spans(hours: Sequence[int]) -> str:
    """Return hours as spans.

    >>> _spans([0, 1, 2, 5, 22, 23])
    '0-2, 5, 22-23'
    """
    spans: list[list[int]] = []
    for hour in hours:
        if spans and hour == spans[-1][1] + 1:
            spans[-1][1] = hour
        else:
            spans.append([hour, hour])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
