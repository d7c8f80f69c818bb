"""The rule that promotes a model is a pure function of one report and one policy."""

import math
from collections.abc import Iterator

from components.contracts.policy import PromotionPolicy
from components.contracts.report import ModelReport, Report, Verdict


def judge(report: Report, policy: PromotionPolicy) -> Verdict:
    """Say which of heir and challenger replaces the champion, if any does.

    A candidate must have numbers at all, be above the floor and within the latency
    budget. The first such model is promoted; after that a candidate must beat the
    champion by a margin, so that noise cannot churn serving, and lose nowhere by much.
    Of two that may serve, the one with the higher mAP50-95 does.

    Args:
        report: Heir, challenger and champion, whichever there are, on the same images.
        policy: What is asked of them.

    Returns:
        The winner, or none, with a sentence that holds the numbers.
    """
    candidates = [model for model in report.models if model.role != "champion"]
    champion = report.of("champion")
    ranked = sorted(candidates, key=_rank, reverse=True)
    objections = {
        model.role: objection
        for model in ranked
        if (objection := next(_objections(model, champion, report, policy), None))
    }
    for model in ranked:
        if model.role not in objections and model.role != "champion":
            return Verdict(winner=model.role, reason=_praise(model, champion, report, policy))
    reasons = [f"{role}: {objection}" for role, objection in objections.items()]
    return Verdict(winner="none", reason="; ".join(reasons) or _nothing(report))


def _rank(model: ModelReport) -> tuple[float, float, bool]:
    numbers = (model.coco.get(name, math.nan) for name in ("map", "map50"))
    overall, at_half = (-math.inf if math.isnan(number) else number for number in numbers)
    return overall, at_half, model.role == "heir"


def _objections(
    model: ModelReport, champion: ModelReport | None, report: Report, policy: PromotionPolicy
) -> Iterator[str]:
    """Yield what speaks against a candidate, the weightiest first."""
    if champion and model.model == champion.model:
        yield "it is the champion itself, there is nothing to replace"
    yield from _unfit(model, policy)
    if champion:
        yield from _undefined(champion, "the champion's ")
        yield from _no_gain(model, champion, policy)
        yield from _slice_drops(model, champion, report, policy)


def _unfit(model: ModelReport, policy: PromotionPolicy) -> Iterator[str]:
    yield from _undefined(model, "its ")
    at_half, latency = model.coco.get("map50", math.nan), model.latency_ms_p95
    if at_half < policy.min_map50:
        yield f"mAP50 {at_half:.3f} is below the floor of {policy.min_map50:.3f}"
    if not latency <= policy.max_latency_ms:
        yield f"95 % of images take up to {latency:.0f} ms, over {policy.max_latency_ms:.0f} ms"


def _undefined(model: ModelReport, whose: str) -> Iterator[str]:
    for name, title in (("map50", "mAP50"), ("map", "mAP50-95")):
        number = model.coco.get(name, math.nan)
        if not 0 <= number <= 1:
            yield f"{whose}{title} is {number:g}, which says nothing: are there test boxes at all?"


def _no_gain(model: ModelReport, champion: ModelReport, policy: PromotionPolicy) -> Iterator[str]:
    # Rounded, so that a gain of exactly the margin is not lost in the last binary digit.
    if round(_gain(model, champion), 9) < policy.min_gain:
        yield _comparison(model, champion, policy)


def _gain(model: ModelReport, champion: ModelReport) -> float:
    return model.coco["map"] - champion.coco["map"]


def _comparison(model: ModelReport, champion: ModelReport, policy: PromotionPolicy) -> str:
    return (
        f"mAP50-95 {model.coco['map']:.3f} against the champion's {champion.coco['map']:.3f} "
        f"({_gain(model, champion):+.3f}, needed {policy.min_gain:+.3f})"
    )


def _slice_drops(
    model: ModelReport, champion: ModelReport, report: Report, policy: PromotionPolicy
) -> Iterator[str]:
    for kind, values in sorted(champion.slices.items()):
        for name, before in sorted(values.items()):
            boxes = report.slice_boxes.get(kind, {}).get(name, 0)
            after = model.slices.get(kind, {}).get(name, math.nan)
            fallen = not before - after <= policy.max_slice_drop
            if boxes >= policy.min_slice_boxes and before >= 0 and fallen:
                yield (
                    f"{kind} {name} falls from mAP50 {before:.3f} to {after:.3f} "
                    f"({boxes:,} boxes), more than {policy.max_slice_drop:.2f}"
                )


def _praise(
    model: ModelReport, champion: ModelReport | None, report: Report, policy: PromotionPolicy
) -> str:
    against = (
        _comparison(model, champion, policy)
        if champion
        else f"mAP50-95 {model.coco['map']:.3f}, and nothing is in service yet"
    )
    return (
        f"{model.role}: {against}; mAP50 {model.coco['map50']:.3f} on {report.images:,} "
        f"{report.split} images, 95 % of them within {model.latency_ms_p95:.0f} ms "
        f"(allowed {policy.max_latency_ms:.0f})"
    )


def _nothing(report: Report) -> str:
    reasons = [f"no {role}: {why}" for role, why in sorted(report.absent.items())]
    return "; ".join(["there is nothing to promote", *reasons])
