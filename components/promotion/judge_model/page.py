"""Markdown page of the verdict: the sentence first, then the numbers that decided."""

from collections.abc import Callable, Iterator

from components.promotion.judge_model.objections import describe, hard_cases_allowed, objections
from components.shared.contracts.change_text import gain_text
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
    decision = "not promoted" if verdict.winner == "none" else f"promoted: {verdict.winner}"
    parts = [f"**{decision}**", verdict.reason]
    if models:
        limits = verdict.policy
        parts += [_table(models, report, limits), *_details(models, report, limits)]
    parts += [f"No {LABELS[role]}: {why}" for role, why in sorted(report.absent.items())]
    return "\n\n".join(parts) + "\n"


def _table(models: list[ModelReport], report: Report, policy: PromotionPolicy) -> str:
    head = ("", *(LABELS[model.role] for model in models), "required of a candidate")
    return markdown_table(
        head, ((name, *map(value, models), asked) for name, asked, value in _rows(report, policy))
    )


def _rows(
    report: Report, policy: PromotionPolicy
) -> Iterator[tuple[str, str, Callable[[ModelReport], str]]]:
    gained = f"at least {policy.min_gain:+.3f}, and significant"
    yield "mAP50-95", "", lambda model: precision_text(model.coco.get("map"))
    least = f"at least {policy.min_map50:.3f}"
    yield "mAP50", least, lambda model: precision_text(model.coco.get("map50"))
    if report.duels:
        yield "mAP50-95, minus champion", gained, lambda model: _gain(model, report)
    most = f"at most {policy.max_latency_ms:.0f} ms"
    yield "latency, 95th percentile", most, lambda model: f"{model.latency_ms_p95:.1f} ms"
    most = f"at most {policy.max_size_mb:.0f} MB"
    yield "package size", most, lambda model: f"{model.size_bytes / 1e6:.1f} MB"
    most = f"at most {policy.max_memory_mb:.0f} MB"
    yield "memory", most, lambda model: f"{model.memory_mb:.0f} MB" if model.memory_mb else "?"
    cases = f"hard cases correct, of {report.hard_cases:,}"
    fewer = f"at most {hard_cases_allowed(report, policy)} fewer than the champion"
    if report.hard_cases:
        yield cases, fewer, lambda model: f"{model.hard_kept:,}"


def _gain(model: ModelReport, report: Report) -> str:
    duel = report.duel(model.role)
    if duel and report.boxes:
        return f"{gain_text(duel.map.gain)} ({describe(duel.map, duel.confidence)})"
    return NOT_MEASURABLE if duel else ""


def _details(models: list[ModelReport], report: Report, policy: PromotionPolicy) -> Iterator[str]:
    for model in models:
        if model.role != "champion":
            against = list(objections(model, report, policy))
            label = LABELS[model.role]
            yield f"Reasons against the {label}: {'; '.join(against) or 'none'}."
            if falls := _falls(model, report):
                yield f"Slices where the {label} is worse than the champion: {'; '.join(falls)}."


def _falls(model: ModelReport, report: Report) -> list[str]:
    duel = report.duel(model.role)
    falls = sorted(
        (interval.gain, f"{kind} {name}", interval, report.slice_boxes[kind][name])
        for kind, values in (duel.slices if duel else {}).items()
        for name, interval in values.items()
    )
    return [
        f"{name} mAP50 {gain_text(gain)} ({gain_text(interval.low)} to {gain_text(interval.high)}, "
        f"{boxes:,} boxes)"
        for gain, name, interval, boxes in falls[:MAX_SLICES]
    ]
