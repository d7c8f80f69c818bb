"""Comparisons as the evaluator would report them, with whatever is planted in them."""

from typing import Any

from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import Duel, Interval, ModelReport, Report

POLICY = PromotionPolicy(
    min_gain=0.01, min_map50=0.3, max_latency_ms=80, max_slice_drop=0.1, max_size_mb=50,
    max_memory_mb=400,
)  # fmt: skip
DIGESTS = {"fine_tuned": "a" * 64, "from_scratch": "b" * 64, "champion": "c" * 64}


def model(
    role="from_scratch", overall=0.5, at_half=0.7, digest=None, latency=20.0, cameras=None,
    size_mb=5.0, memory_mb=150.0, hard=0,
):  # fmt: skip
    return ModelReport.model_construct(
        role=role,
        model=digest or DIGESTS[role],
        coco={"map": overall, "map50": at_half},
        slices={"camera": cameras or {}},
        latency_ms_p50=latency / 2,
        latency_ms_p95=latency,
        size_bytes=round(size_mb * 1e6),
        memory_mb=memory_mb,
        hard_kept=hard,
    )


def duels(models, spread, confidence, resamples):
    """Each candidate's gain, give or take `spread`, and that of each camera where it is lower."""
    champions = [each for each in models if each.role == "champion"]
    if not champions:
        return ()
    (champion,) = champions
    met = [each for each in models if each.model != champion.model]

    def interval(gain):
        return Interval.model_construct(gain=gain, low=gain - spread, high=gain + spread)

    def lower(each):
        before, after = champion.slices["camera"], each.slices["camera"]
        falls = {name: after[name] - before[name] for name in before if name in after}
        return {name: interval(gain) for name, gain in falls.items() if gain < 0}

    return tuple(
        Duel.model_construct(
            role=each.role,
            map=interval(each.coco["map"] - champion.coco["map"]),
            slices={"camera": lower(each)} if lower(each) else {},
            confidence=confidence or POLICY.confidence(len(met)),
            resamples=resamples,
        )
        for each in met
        if each.role != "champion"
    )


def report(*models, spread=0.005, confidence=None, resamples=1000, met=True, images=92, **options):
    roles = {model.role for model in models}
    absent = {role: "not trained" for role in DIGESTS if role not in roles}
    fields: dict[str, Any] = {"slice_boxes": {}, "damaged": (), "hard_cases": 0}
    fields |= {"absent": absent | options.pop("absent", {}), **options}
    return Report.model_construct(
        dataset="car-parks", snapshot="0" * 64, split="test", images=images, boxes=640,
        models=models, duels=duels(models, spread, confidence, resamples) if met else (),
        **fields,
    )  # fmt: skip
