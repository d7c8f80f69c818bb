"""Markdown page of the verdict: the sentence first, then the numbers that decided."""

from collections.abc import Callable, Iterator

from components.promotion.judge_model.objections import objections, told
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import (
    LABELS,
    NOT_MEASURABLE,
    ROLES,
    ModelReport,
    Report,
    Verdict,
    precision_text,
)
from components.shared.pages.markdown import markdown_table

MAX_SLICES = 5


def page(verdict: Verdict, report: Report) -> str:
    """Return Markdown of a verdict: winner, reason, then the metrics beside the limits.

    Args:
        verdict: The decision, with the limits that it applied.
        report: The comparison.
    """
    models = [model for role in ROLES if (model := report.of(role))]
    parts = [f"**winner: {verdict.winner}**", verdict.reason]
    if models:
        limits = verdict.policy
        parts += [_table(models, report, limits), *_details(models, report, limits)]
    parts += [f"There is no {LABELS[role]}: {why}" for role, why in sorted(report.absent.items())]
    return "\n\n".join(parts) + "\n"


def _table(models: list[ModelReport], report: Report, policy: PromotionPolicy) -> str:
    head = ("", *(LABELS[model.role] for model in models), "asked of a candidate")
    return markdown_table(
        head, ((name, *map(value, models), asked) for name, asked, value in _rows(report, policy))
    )


def _rows(
    report: Report, policy: PromotionPolicy
) -> Iterator[tuple[str, str, Callable[[ModelReport], str]]]:
    gained = f"{policy.min_gain:+.3f}, and surely above 0"
    yield "mAP50-95", "", lambda model: precision_text(model.coco.get("map"))
    yield "mAP50", f"{policy.min_map50:.3f}", lambda model: precision_text(model.coco.get("map50"))
    yield "mAP50-95 above the champion's", gained, lambda model: _met(model, report)
    most = f"{policy.max_latency_ms:.0f} ms"
    yield "95 % of images within", most, lambda model: f"{model.latency_ms_p95:.1f} ms"
    most = f"{policy.max_size_mb:.0f} MB"
    yield "package", most, lambda model: f"{model.size_bytes / 1e6:.1f} MB"
    most = f"{policy.max_memory_mb:.0f} MB"
    yield "memory", most, lambda model: f"{model.memory_mb:.0f} MB" if model.memory_mb else "?"
    cases = f"hard cases right, of {report.hard_cases:,}"
    yield cases, "about as many", lambda model: f"{model.hard_kept:,}"


def _met(model: ModelReport, report: Report) -> str:
    duel = report.duel(model.role)
    if duel and report.boxes:
        return f"{duel.map.gain:+.3f} ({told(duel.map, duel.confidence)})"
    return NOT_MEASURABLE if duel else ""


def _details(models: list[ModelReport], report: Report, policy: PromotionPolicy) -> Iterator[str]:
    for model in models:
        if model.role != "champion":
            against = list(objections(model, report, policy))
            label = LABELS[model.role]
            yield f"Against the {label}: {'; '.join(against) or 'nothing'}."
            if falls := _falls(model, report):
                yield f"Where the {label} is lower, the most first: {'; '.join(falls)}."


def _falls(model: ModelReport, report: Report) -> list[str]:
    duel = report.duel(model.role)
    falls = sorted(
        (interval.gain, f"{kind} {name}", interval, report.slice_boxes[kind][name])
        for kind, values in (duel.slices if duel else {}).items()
        for name, interval in values.items()
    )
    return [
        f"{name} {gain:+.3f} mAP50 ({interval.low:+.3f} to {interval.high:+.3f}, {boxes:,} boxes)"
        for gain, name, interval, boxes in falls[:MAX_SLICES]
    ]
