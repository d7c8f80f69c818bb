"""Reasons against a candidate as sentences with numbers, the most important first."""

import math
from collections.abc import Iterator

from components.shared.contracts.change_text import change_text, gain_text
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import (
    NOT_MEASURABLE,
    Duel,
    Interval,
    ModelReport,
    Report,
    measured,
)


def objections(model: ModelReport, report: Report, policy: PromotionPolicy) -> Iterator[str]:
    """Yield the reasons against a candidate; none if it may be promoted.

    Args:
        model: Metrics of the candidate.
        report: The comparison.
        policy: Limits and margins of a promotion.
    """
    champion = report.of("champion")
    if champion and model.model == champion.model:
        yield "it is the champion itself"
        return
    yield from _unfit(model, policy)
    if "champion" in report.damaged:
        yield (
            f"the champion cannot be compared with: {report.absent['champion']}; restore its "
            "files, or roll back to the previous model, then train again"
        )
    if champion:
        yield from _undefined(champion, "the champion's ")
    if champion and {"map", "map50"} <= champion.measurable.keys() & model.measurable.keys():
        yield from _not_better(model, champion, report, policy)
        yield from _slower(model, champion, policy)
        yield from _fallen(model, champion, report, policy)
        yield from _lost_cases(model, champion, report, policy)


def comparison(model: ModelReport, champion: ModelReport) -> str:
    """Return the mAP50-95 of both models and the difference, in words.

    Args:
        model: Metrics of the candidate.
        champion: Metrics of the champion.
    """
    model_map, champion_map = model.coco["map"], champion.coco["map"]
    gain = gain_text(_gain(model, champion))
    return f"mAP50-95 {model_map:.3f}, champion {champion_map:.3f}, difference {gain}"


def describe(interval: Interval, confidence: float) -> str:
    """Return a confidence interval in words.

    Args:
        interval: The interval of a difference in mAP.
        confidence: Its confidence, 0 to 1.
    """
    low, high = gain_text(interval.low), gain_text(interval.high)
    return f"{low} to {high} with {confidence * 100:.3g} % confidence"


def hard_cases_allowed(report: Report, policy: PromotionPolicy) -> int:
    """Return how many hard cases fewer than the champion a candidate may have, at least 1.

    Args:
        report: The comparison.
        policy: Limits and margins of a promotion.
    """
    return max(1, math.floor(policy.max_hard_lost * report.hard_cases))


def _unfit(model: ModelReport, policy: PromotionPolicy) -> Iterator[str]:
    yield from _undefined(model, "its ")
    at_half, latency = model.measurable.get("map50", math.nan), model.latency_ms_p95
    if at_half < policy.min_map50:
        yield f"mAP50 {at_half:.3f}, expected at least {policy.min_map50:.3f}"
    if not latency <= policy.max_latency_ms:
        yield (
            f"latency {latency:.0f} ms (95th percentile), expected at most "
            f"{policy.max_latency_ms:.0f} ms"
        )
    size_mb = model.size_bytes / 1e6
    if not size_mb <= policy.max_size_mb:
        yield f"package size {size_mb:.1f} MB, expected at most {policy.max_size_mb:.0f} MB"
    if model.memory_mb is not None and not model.memory_mb <= policy.max_memory_mb:
        yield f"memory {model.memory_mb:.0f} MB, expected at most {policy.max_memory_mb:.0f} MB"


def _undefined(model: ModelReport, whose: str) -> Iterator[str]:
    for name, title in (("map50", "mAP50"), ("map", "mAP50-95")):
        if name not in model.measurable:
            yield (f"{whose}{title} is {NOT_MEASURABLE}: do the test images have boxes?")


def _not_better(
    model: ModelReport, champion: ModelReport, report: Report, policy: PromotionPolicy
) -> Iterator[str]:
    numbers = comparison(model, champion)
    # Rounded, so that a gain of exactly the margin is not lost in the last binary digit.
    if not round(_gain(model, champion), 9) >= policy.min_gain:
        yield f"{numbers}, expected at least {policy.min_gain:+.3f}"
        return
    if report.images < policy.min_images:
        yield (
            f"{numbers}, but {report.images} {report.split} images are too few to compare two "
            f"models, expected at least {policy.min_images}"
        )
        return
    duel = report.duel(model.role)
    if duel is None or not _sure_enough(duel, report, policy):
        yield f"{numbers}, but without a confidence interval"
    elif not duel.map.low > 0:
        yield (
            f"{numbers}, but not significant: {describe(duel.map, duel.confidence)} on "
            f"{report.images:,} images{_needed(duel.map, report.images)}"
        )


def _gain(model: ModelReport, champion: ModelReport) -> float:
    return model.coco["map"] - champion.coco["map"]


def _sure_enough(duel: Duel, report: Report, policy: PromotionPolicy) -> bool:
    """Return whether a comparison is as strict as the policy wants for this many candidates."""
    asked = policy.confidence(len(report.duels))
    return duel.confidence >= asked - 1e-9 and duel.resamples >= policy.resamples


def _needed(interval: Interval, images: int) -> str:
    """Return how many images would make a gain significant: intervals shrink as 1/sqrt(n)."""
    if not 0 < interval.gain < math.inf or not math.isfinite(interval.low):
        return ""
    times = ((interval.gain - interval.low) / interval.gain) ** 2
    return f"; about {math.ceil(images * times / 10) * 10:,} images would be enough"


def _slower(model: ModelReport, champion: ModelReport, policy: PromotionPolicy) -> Iterator[str]:
    model_ms, champion_ms = model.latency_ms_p95, champion.latency_ms_p95
    if model_ms > max(policy.max_latency_ratio * champion_ms, policy.min_latency_ms):
        yield (
            f"latency {model_ms:.0f} ms (95th percentile), champion {champion_ms:.0f} ms, "
            f"expected at most {policy.max_latency_ratio:g} times the champion's"
        )


def _fallen(
    model: ModelReport, champion: ModelReport, report: Report, policy: PromotionPolicy
) -> Iterator[str]:
    for kind, values in sorted(champion.slices.items()):
        for name, before in sorted(values.items()):
            boxes = report.slice_boxes.get(kind, {}).get(name, 0)
            after = model.slices.get(kind, {}).get(name, math.nan)
            if before >= 0 and policy.falls_far(before - after, boxes):
                yield from _no_luck(kind, name, before, after, boxes, report.duel(model.role))


def _no_luck(
    kind: str, name: str, before: float, after: float, boxes: int, duel: Duel | None
) -> Iterator[str]:
    """Yield a reason for a large fall in a slice, unless it is not significant."""
    interval = duel.slices.get(kind, {}).get(name) if duel else None
    if duel and interval and after >= 0 and interval.high >= 0:
        return
    sure = f", {describe(interval, duel.confidence)}" if duel and interval else ""
    change = change_text(before, after, 3)
    if measured(after) is None:
        change = f"fell from {before:.3f} to {NOT_MEASURABLE}"
    yield f"mAP50 of {kind} {name} {change} ({boxes:,} boxes{sure})"


def _lost_cases(
    model: ModelReport, champion: ModelReport, report: Report, policy: PromotionPolicy
) -> Iterator[str]:
    allowed = hard_cases_allowed(report, policy)
    if model.hard_kept < champion.hard_kept - allowed:
        yield (
            f"{model.hard_kept} of {report.hard_cases} hard cases correct, champion "
            f"{champion.hard_kept}, expected at most {allowed} fewer than the champion"
        )
