"""Reasons against a candidate as sentences with numbers, the most important first."""

import math
from collections.abc import Iterator

from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import NOT_MEASURABLE, Duel, Interval, ModelReport, Report


def objections(model: ModelReport, report: Report, policy: PromotionPolicy) -> Iterator[str]:
    """Yield the reasons against a candidate; none if it may be promoted.

    Args:
        model: Metrics of the candidate.
        report: The comparison.
        policy: Limits and margins of a promotion.
    """
    champion = report.of("champion")
    if champion and model.model == champion.model:
        yield "it is the champion itself, there is nothing to replace"
        return
    yield from _unfit(model, policy)
    if "champion" in report.damaged:
        yield (
            f"there is a champion to beat, but {report.absent['champion']}; a person must put it "
            "back, or roll back to the model before, then train again"
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
    ours, theirs = model.coco["map"], champion.coco["map"]
    return (
        f"mAP50-95 {ours:.3f} against the champion's {theirs:.3f} ({_gain(model, champion):+.3f})"
    )


def told(interval: Interval, confidence: float) -> str:
    """Return a confidence interval in words.

    Args:
        interval: The interval of a difference in mAP.
        confidence: Its confidence, 0 to 1.
    """
    return f"{interval.low:+.3f} to {interval.high:+.3f} with {confidence * 100:.3g} % confidence"


def _unfit(model: ModelReport, policy: PromotionPolicy) -> Iterator[str]:
    yield from _undefined(model, "its ")
    at_half, latency = model.measurable.get("map50", math.nan), model.latency_ms_p95
    if at_half < policy.min_map50:
        yield f"mAP50 {at_half:.3f} is below the floor of {policy.min_map50:.3f}"
    if not latency <= policy.max_latency_ms:
        yield f"95 % of images take up to {latency:.0f} ms, over {policy.max_latency_ms:.0f} ms"
    size_mb = model.size_bytes / 1e6
    if not size_mb <= policy.max_size_mb:
        yield f"its package has {size_mb:.1f} MB, over {policy.max_size_mb:.0f} MB"
    if model.memory_mb is not None and not model.memory_mb <= policy.max_memory_mb:
        yield f"it takes {model.memory_mb:.0f} MB of memory, over {policy.max_memory_mb:.0f} MB"


def _undefined(model: ModelReport, whose: str) -> Iterator[str]:
    for name, title in (("map50", "mAP50"), ("map", "mAP50-95")):
        if name not in model.measurable:
            yield (
                f"{whose}{title} is {NOT_MEASURABLE}, which says nothing: are there test boxes at "
                "all?"
            )


def _not_better(
    model: ModelReport, champion: ModelReport, report: Report, policy: PromotionPolicy
) -> Iterator[str]:
    numbers = comparison(model, champion)
    # Rounded, so that a gain of exactly the margin is not lost in the last binary digit.
    if not round(_gain(model, champion), 9) >= policy.min_gain:
        yield f"{numbers}, needed {policy.min_gain:+.3f}"
        return
    if report.images < policy.min_images:
        yield (
            f"{numbers}, but {report.images} {report.split} images are too few to tell two "
            f"models apart, at least {policy.min_images} are needed"
        )
        return
    duel = report.duel(model.role)
    if duel is None or not _sure_enough(duel, report, policy):
        yield f"{numbers}, but nothing says how sure that is"
    elif not duel.map.low > 0:
        yield (
            f"{numbers}, but that may be luck: it is {told(duel.map, duel.confidence)} on "
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
    return f"; about {math.ceil(images * times / 10) * 10:,} would tell"


def _slower(model: ModelReport, champion: ModelReport, policy: PromotionPolicy) -> Iterator[str]:
    ours, theirs = model.latency_ms_p95, champion.latency_ms_p95
    if ours > max(policy.max_latency_ratio * theirs, policy.min_latency_ms):
        yield (
            f"95 % of images take up to {ours:.0f} ms, the champion's {theirs:.0f} ms; at most "
            f"{policy.max_latency_ratio:g} times as long is allowed"
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
    sure = f", {told(interval, duel.confidence)}" if duel and interval else ""
    yield f"{kind} {name} falls from mAP50 {before:.3f} to {after:.3f} ({boxes:,} boxes{sure})"


def _lost_cases(
    model: ModelReport, champion: ModelReport, report: Report, policy: PromotionPolicy
) -> Iterator[str]:
    allowed = max(1, math.floor(policy.max_hard_lost * report.hard_cases))
    if model.hard_kept < champion.hard_kept - allowed:
        yield (
            f"it gets {model.hard_kept} of {report.hard_cases} hard cases right, the champion "
            f"{champion.hard_kept}; at most {allowed} fewer are allowed"
        )
