"""The numbers that decide. One place, so that changing a rule is changing a line."""

from pydantic import Field

from components.contracts.record import Record


class ValidationPolicy(Record):
    """When a snapshot is refused (`fail`) or remarked upon (`warn`); other findings are noted."""

    fail: tuple[str, ...] = (
        "undecodable",
        "wrong_size",
        "box_outside",
        "box_empty",
        "unknown_class",
        "empty_split",
        "too_few_images",
        "leak_between_splits",
    )
    warn: tuple[str, ...] = ("duplicate_box", "class_without_boxes", "split_without_boxes")


class PromotionPolicy(Record):
    """When a model replaces the one in service."""

    min_gain: float = Field(default=0.005, description="least rise in mAP50-95, as a fraction")
    min_map50: float = Field(default=0.05, description="below this nothing is ever served")
    max_latency_ms: float = Field(default=250.0, description="95th percentile, one image")
    max_slice_drop: float = Field(
        default=0.10, description="most that mAP50 of a camera, size or class may fall"
    )
    min_slice_boxes: int = Field(
        default=50, description="true boxes below which a slice says nothing"
    )


class DriftPolicy(Record):
    """When a window of served frames is called different."""

    min_frames: int = 20
    alpha: float = Field(
        default=0.001, description="false alarms per window, were all frames independent"
    )
    min_distance: float = Field(
        default=0.25, description="least Kolmogorov-Smirnov distance that matters"
    )
    min_drifted: int = Field(default=2, description="descriptors that must drift together")
    min_cameras: int = Field(
        default=8, description="of the reference, before a camera it does not know can be judged"
    )
    resamples: int = Field(default=400, description="of the reference, to see what chance reaches")
    quantile: float = Field(
        default=0.99, description="of the distances between resamples, which a drift must pass"
    )


class RolloutPolicy(Record):
    """How a model comes into service, and what sends it back."""

    steps: tuple[int, ...] = Field(
        default=(0, 5, 25, 100), description="percent of the requests that the candidate gets"
    )
    step_seconds: float = Field(default=60.0, description="least time at a step, with traffic")
    min_requests: int = Field(
        default=30, description="answers of the candidate, probes included, before a step ends"
    )
    look_every_s: float = Field(default=1.0, description="between two looks at the guards")
    ready_seconds: float = Field(default=300.0, description="for the candidate to come up")
    probes: int = Field(default=16, description="live pictures that both models are asked")
    max_error_rate: float = Field(default=0.01, description="failed answers of the candidate")
    max_latency_ratio: float = Field(
        default=2.0, description="95th percentile, candidate to champion, on the same pictures"
    )
    min_latency_ms: float = Field(
        default=50.0, description="95th percentile of the candidate below which no ratio matters"
    )
    max_latency_ms: float = Field(default=1000.0, description="95th percentile of the candidate")
    max_box_change: float = Field(
        default=0.5,
        description="most by which boxes a picture may lie, as a share, beyond what the champion "
        "finds on live pictures and the candidate itself on its golden ones",
    )
    max_score_change: float = Field(
        default=0.2, description="most by which the mean score of boxes may lie beyond the same"
    )
    max_disagreement: float = Field(
        default=0.6, description="of the champion's boxes, those that the candidate lacks (IoU 0.5)"
    )
    min_boxes: int = Field(
        default=10, description="boxes below which a comparison of boxes says nothing"
    )
