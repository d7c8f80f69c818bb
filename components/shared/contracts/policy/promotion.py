"""Policies of evaluation and promotion: hard cases, gains, budgets and losses of a candidate."""

from components.shared.contracts.policy.field import limit
from components.shared.contracts.record import Record


class EvaluationPolicy(Record):
    """Timed images of an evaluation, and the hard cases that a new model adds."""

    max_timed_images: int = limit(50, "images", description="on which latency is measured", ge=1)
    min_hard_score: float = limit(
        0.5, "score", description="from which a box is sure enough for a hard case", ge=0, le=1
    )
    max_new_hard_cases: int = limit(
        20,
        "cases",
        description="of each kind, that a version adds: the largest objects, the surest false "
        "alarms",
        ge=0,
    )


class PromotionPolicy(Record):
    """Thresholds at which a model replaces the champion.

    A candidate must be better by more than luck: among resamples of the test images the
    champion may be as good in at most a share of `alpha`. The candidates divide it between
    them, and one part is kept back, since intervals from few images are not exact. Beside
    that a gain must be large enough to be worth a rollout. The smaller the test set, the
    larger a gain must be to be told from luck; the verdict then says how many images would
    tell, and the next snapshot may bring them. The first model has nobody to beat.
    """

    alpha: float = limit(
        0.05, "probability", description="that a model which is no better is promoted", gt=0, lt=1
    )
    resamples: int = limit(
        1000, "resamples", description="of the test images, the same for both models", ge=1
    )
    min_images: int = limit(
        20, "images", description="test images below which two models cannot be told apart", ge=1
    )
    min_gain: float = limit(0.005, "mAP50-95", description="least rise, as a fraction", ge=-1, le=1)
    min_map50: float = limit(
        0.05, "mAP50", description="below this nothing is ever served", ge=0, le=1
    )
    max_latency_ms: float = limit(250.0, "ms", description="95th percentile, one image", gt=0)
    max_latency_ratio: float = limit(
        2.0, "ratio", description="95th percentile, candidate to champion", gt=0
    )
    min_latency_ms: float = limit(
        50.0, "ms", description="95th percentile below which no ratio matters", ge=0
    )
    max_size_mb: float = limit(100.0, "MB", description="of all files of the package", gt=0)
    max_memory_mb: float = limit(
        512.0, "MB", description="peak of a process that opens the package and answers", gt=0
    )
    max_slice_drop: float = limit(
        0.10,
        "mAP50",
        description="most that a camera, hour, size, crowding or class may fall; a fall counts if "
        "it is there in almost all resamples, too",
        ge=0,
        le=1,
    )
    min_slice_boxes: int = limit(
        50, "boxes", description="true boxes below which a slice says nothing", ge=0
    )
    max_hard_lost: float = limit(
        0.2,
        "share",
        description="of the hard cases, that a candidate may keep fewer of than the champion, and "
        "one in any case",
        ge=0,
        le=1,
    )

    def few(self, images: int, split: str) -> str:
        """Return a warning if metrics on so few images are unreliable; empty if there are enough.

        Args:
            images: Number of images.
            split: Name of their split, for the sentence.

        >>> PromotionPolicy().few(2, "test")
        'numbers on 2 test images mean little: 20 or more tell two models apart'
        """
        if images >= self.min_images:
            return ""
        return (
            f"numbers on {images} {split} image{'' if images == 1 else 's'} mean little: "
            f"{self.min_images} or more tell two models apart"
        )

    def falls_far(self, fall: float, boxes: int) -> bool:
        """Return whether a fall of mAP50 in a slice of so many boxes matters; True for NaN.

        Args:
            fall: Fall of mAP50, as a difference of values from 0 to 1.
            boxes: Number of true boxes of the slice.
        """
        return boxes >= self.min_slice_boxes and not fall <= self.max_slice_drop

    def confidence(self, candidates: int) -> float:
        """Return the two-sided level of an interval whose ends each cut off a candidate's part.

        >>> PromotionPolicy(alpha=0.06).confidence(2)
        0.96
        """
        return 1 - 2 * self.alpha / (candidates + 1)
