"""Decide which candidate is promoted: a pure function of one report and one policy."""

import math

from components.promotion.judge_model.objections import comparison, describe, objections
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import LABELS, ModelReport, Report, Verdict


def judge(report: Report, policy: PromotionPolicy) -> Verdict:
    """Return which of fine_tuned and from_scratch replaces the champion, if any.

    A candidate must have metrics, be above the minimum mAP50 and within the budgets of
    latency, size and memory. The first such model is promoted; after that a candidate must
    beat the champion by a margin and significantly, fall far in no slice, and keep the hard
    cases. Of two that pass, the one with the higher mAP50-95 wins. A champion that exists but
    cannot be evaluated is never replaced: a person must look at it.

    Args:
        report: Metrics of fine_tuned, from_scratch and champion on the same images.
        policy: Limits and margins of a promotion.

    Returns:
        The winner, or `none`, with a sentence that holds the numbers.
    """
    reasons = []
    for model in ranked(report):
        against = next(objections(model, report, policy), None)
        if against is None and model.role != "champion":
            reason = _line(_praise(model, report, policy))
            return Verdict(winner=model.role, reason=reason, policy=policy)
        reasons.append(f"{LABELS[model.role]}: {against}")
    start = reasons or ["there is no candidate"]
    reason = _line("; ".join([*start, *_absent(report)]))
    return Verdict(winner="none", reason=reason, policy=policy)


def summary(verdict: Verdict) -> str:
    """Return the decision in one line, for a terminal."""
    if verdict.winner == "none":
        return f"not promoted: {verdict.reason}"
    return f"promoted: {verdict.winner}, {verdict.reason}"


def ranked(report: Report) -> list[ModelReport]:
    """Return the candidates, the best first."""
    candidates = [model for model in report.models if model.role != "champion"]
    return sorted(candidates, key=_rank, reverse=True)


def _rank(model: ModelReport) -> tuple[float, float, bool]:
    overall, at_half = (model.measurable.get(name, -math.inf) for name in ("map", "map50"))
    return overall, at_half, model.role == "fine_tuned"


def _praise(model: ModelReport, report: Report, policy: PromotionPolicy) -> str:
    champion, duel = report.of("champion"), report.duel(model.role)
    against = f"mAP50-95 {model.coco['map']:.3f}; no champion to compare with"
    if champion and duel:
        against = f"{comparison(model, champion)} ({describe(duel.map, duel.confidence)})"
    few = policy.few(report.images, report.split)
    return (
        f"{against}; mAP50 {model.coco['map50']:.3f} on {report.images:,} {report.split} images; "
        f"latency {model.latency_ms_p95:.0f} ms (95th percentile, at most "
        f"{policy.max_latency_ms:.0f} ms)"
    ) + (f"; {few}" if few else "")


def _absent(report: Report) -> list[str]:
    """Return the absent roles with reasons: all if no candidate is present, else candidates."""
    alone = not any(model.role != "champion" for model in report.models)
    return [
        f"no {LABELS[role]}: {why}"
        for role, why in sorted(report.absent.items())
        if alone or role != "champion"
    ]


def _line(text: str) -> str:
    return " ".join(text.split())
