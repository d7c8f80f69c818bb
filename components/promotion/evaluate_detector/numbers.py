"""Section of the comparison page with the metrics: precision, cost and confidence intervals."""

from collections.abc import Iterator, Mapping

from markupsafe import Markup

from components.promotion.evaluate_detector.errors import KINDS, ImageErrors, Kind
from components.promotion.evaluate_detector.evaluate import Evaluation
from components.shared.contracts.change_text import gain_text
from components.shared.contracts.report import LABELS, ModelReport, Report, precision_text
from components.shared.pages.fragments import Card, cards, sentence, table, text
from components.shared.pages.page import Section

RIGHT = ("model", "mAP50-95", "mAP50", "mAP75", "mAP small", "mAP medium", "mAP large", "recall")
NAMES = ("map", "map50", "map75", "map_small", "map_medium", "map_large", "mar_100")
COST = ("model", "digest", "p50, ms", "p95, ms", "package, MB", "memory, MB", "hard cases correct")


def numbers(evaluation: Evaluation) -> Section:
    """Return the section with the metrics, the first of the comparison page."""
    report = evaluation.report
    best = report.of(evaluation.subject) if evaluation.subject else None
    sentences = [
        *_duels(report),
        *([sentence(evaluation.few)] if evaluation.few else []),
        *(f"No {LABELS[role]}: {why}." for role, why in report.absent.items()),
    ]
    parts: list[Markup] = []
    if best:
        parts.append(_cards(best, evaluation))
    if report.models:
        parts.append(table(RIGHT, [_right(model) for model in report.models]))
        parts.append(table(COST, [_cost(model, report) for model in report.models]))
    if sentences:
        parts.append(text(*sentences))
    images = f"{report.images:,} {report.split} images with {report.boxes:,} objects"
    return Section(f"Metrics on {images}, the same for all models", parts)


def count_errors(comparisons: Mapping[str, ImageErrors]) -> dict[Kind, int]:
    """Return the number of errors of each kind in all images."""
    kinds = [error.kind for each in comparisons.values() for error in each.errors]
    return {kind: kinds.count(kind) for kind in KINDS}


def _right(model: ModelReport) -> tuple[str | float, ...]:
    return (LABELS[model.role], *(precision_text(model.coco[name]) for name in NAMES))


def _cost(model: ModelReport, report: Report) -> tuple[str, ...]:
    return (
        LABELS[model.role],
        model.model[:12],
        f"{model.latency_ms_p50:.1f}",
        f"{model.latency_ms_p95:.1f}",
        f"{model.size_bytes / 1e6:.1f}",
        f"{model.memory_mb:.0f}" if model.memory_mb else "unknown",
        f"{model.hard_kept:,} of {report.hard_cases:,}" if report.hard_cases else "none yet",
    )


def _cards(best: ModelReport, evaluation: Evaluation) -> Markup:
    errors = count_errors(evaluation.comparisons)
    return cards(
        Card("mAP50-95", precision_text(best.coco["map"]), f"of the {LABELS[best.role]}"),
        Card("mAP50", precision_text(best.coco["map50"]), f"of the {LABELS[best.role]}"),
        Card("missed", errors["missed"], "objects"),
        Card("poorly localised", errors["badly placed"], "boxes, IoU below 0.5"),
        Card("false positives", errors["false"], "boxes"),
        Card("latency, p95", f"{best.latency_ms_p95:.1f} ms", "JPEG to boxes, one thread"),
    )


def _duels(report: Report) -> Iterator[str]:
    for duel in report.duels if report.boxes else ():
        yield (
            f"mAP50-95 of the {LABELS[duel.role]} minus that of the champion: "
            f"{gain_text(duel.map.gain)}, {gain_text(duel.map.low)} to {gain_text(duel.map.high)} "
            f"with {duel.confidence * 100:.3g} % confidence (paired bootstrap, "
            f"{duel.resamples:,} resamples)."
        )
