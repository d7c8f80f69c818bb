"""Policy of a canary rollout: traffic shares, waits, and rollback rules."""

from itertools import pairwise
from typing import Self

from pydantic import model_validator

from components.shared.contracts.policy.field import limit
from components.shared.contracts.record import Record


class RolloutPolicy(Record):
    """Steps of a canary rollout, and thresholds of a rollback."""

    steps: tuple[int, ...] = limit(
        (0, 5, 25, 100), "%", description="of the requests that the candidate gets, step by step"
    )
    min_step_s: float = limit(60.0, "s", description="at a step, with traffic", ge=0)
    min_requests: int = limit(
        30, "answers", description="of the candidate, probes included, before a step ends", ge=1
    )
    look_every_s: float = limit(1.0, "s", description="between two looks at the guards", ge=0)
    max_ready_s: float = limit(300.0, "s", description="for the candidate to come up", ge=0)
    max_turn_s: float = limit(
        600.0, "s", description="for a rollout of another dataset in the same place to end", ge=0
    )
    max_probes: int = limit(
        16, "images", description="live images that both models are asked about", ge=1
    )
    max_recent_frames: int = limit(
        500, "frames", description="newest served frames, of which the live images are a sample",
        ge=1,
    )  # fmt: skip
    max_compared_images: int = limit(
        8,
        "images",
        description="newest live images whose boxes are compared: few, so that new errors show",
        ge=1,
    )
    max_failures: int = limit(
        1, "answers", description="of the candidate that may fail, whatever their rate", ge=0
    )
    max_error_rate: float = limit(
        0.01, "share", description="failed answers of the candidate", ge=0, le=1
    )
    max_latency_ratio: float = limit(
        2.0, "ratio", description="95th percentile, candidate to champion, on the same images", gt=0
    )
    min_latency_ms: float = limit(
        50.0, "ms", description="95th percentile of the candidate below which no ratio matters",
        ge=0,
    )  # fmt: skip
    max_latency_ms: float = limit(
        1000.0, "ms", description="95th percentile of the candidate", gt=0
    )
    min_latency_probes: int = limit(
        5, "answers", description="of each side, before their latency is judged", ge=1
    )
    max_latency_probes: int = limit(
        60,
        "answers",
        description="newest of each side, whose latency counts, or min_latency_answers of them",
        ge=1,
    )
    min_latency_answers: int = limit(
        40,
        "answers",
        description="of each side, in the same seconds, that a second look at a slow candidate "
        "needs",
        ge=1,
    )
    min_pause_s: float = limit(5.0, "s", description="before a second look at a slow candidate",
                               ge=0)  # fmt: skip
    max_box_change: float = limit(
        0.5,
        "share",
        description="by which boxes an image may lie beyond what the champion finds on live images "
        "and the candidate itself on its golden ones",
        ge=0,
        lt=1,
    )
    max_score_change: float = limit(
        0.2, "score", description="by which the mean score of boxes may lie beyond the same", ge=0
    )
    max_deviations: float = limit(
        3.0,
        "deviations",
        description="of chance that widen both limits for clients' images, which are not the same",
        ge=0,
    )
    max_disagreement: float = limit(
        0.6,
        "share",
        description="of the champion's boxes, those that the candidate lacks (IoU 0.5)",
        ge=0,
        le=1,
    )
    min_boxes: int = limit(
        10, "boxes", description="below which a comparison of boxes says nothing", ge=0
    )

    @model_validator(mode="after")
    def _steps_rise(self) -> Self:
        if not all(0 <= step <= 100 for step in self.steps):
            raise ValueError(f"steps are {list(self.steps)}, expected 0 to 100")
        if any(step >= after for step, after in pairwise(self.steps)):
            raise ValueError(f"steps are {list(self.steps)}, expected each above the one before")
        return self
