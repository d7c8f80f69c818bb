"""Define the thresholds of decisions: validation, promotion, drift, rollout, tuning, outages."""

from pydantic import Field

from components.shared.contracts.record import Record


class ValidationPolicy(Record):
    """Thresholds at which a snapshot fails (`fail`) or gets a warning (`warn`)."""

    fail: tuple[str, ...] = (
        "undecodable",
        "wrong_size",
        "box_outside",
        "box_empty",
        "unknown_class",
        "empty_split",
        "too_few_images",
        "nothing_to_learn",
        "leak_between_splits",
    )
    warn: tuple[str, ...] = (
        "duplicate_box",
        "many_boxes",
        "class_without_boxes",
        "split_without_boxes",
    )
    min_images: int = Field(default=10, description="of a snapshot, over all splits")
    max_boxes: int = Field(
        default=1000, description="of one image, beyond which its label is remarked upon"
    )

    def too_small(self, images: int, boxes: int) -> str:
        """Return why so few images or boxes are not enough, or an empty text.

        >>> ValidationPolicy().too_small(5, 39)
        '5 labelled images, expected at least 10 to train on'
        """
        if images < self.min_images:
            labelled = f"{images:,} labelled image{'' if images == 1 else 's'}"
            return f"{labelled}, expected at least {self.min_images:,} to train on"
        if not boxes:
            return f"none of {images:,} labelled images has a box, expected objects to learn from"
        return ""


class CheckPolicy(Record):
    """Resource limits of a package in the smoke test before promotion."""

    size_mb: float = Field(default=256.0, description="of all its files")
    files: int = Field(default=64, description="most files, golden pictures included")
    start_seconds: float = Field(
        default=120.0, description="for the server to come up without a package"
    )
    load_seconds: float = Field(default=60.0, description="for the server to load the package")
    answer_seconds: float = Field(
        default=20.0, description="for one answer, after which the server counts as hung"
    )
    answer_ms: float = Field(default=1000.0, description="median of the answers, one thread")
    memory_mb: int = Field(default=1500, description="of address space, of the whole server")
    cpu_seconds: int = Field(default=600, description="of the server, all told")
    images: int = Field(default=8, description="of the snapshot, beside the golden pictures")


class PromotionPolicy(Record):
    """Thresholds at which a model replaces the champion.

    A candidate must be better by more than luck: among resamples of the test images the
    champion may be as good in at most a share of `alpha`. The candidates divide it between
    them, and one part is kept back, since intervals from few images are not exact. Beside
    that a gain must be large enough to be worth a rollout. The smaller the test set, the
    larger a gain must be to be told from luck; the verdict then says how many images would
    tell, and the next snapshot may bring them. The first model has nobody to beat.
    """

    alpha: float = Field(
        default=0.05, gt=0, lt=1, description="chance that a model which is no better is promoted"
    )
    resamples: int = Field(default=1000, description="of the test images, the same for both models")
    min_images: int = Field(
        default=20, description="test images below which two models cannot be told apart"
    )
    min_gain: float = Field(default=0.005, description="least rise in mAP50-95, as a fraction")
    min_map50: float = Field(default=0.05, description="below this nothing is ever served")
    max_latency_ms: float = Field(default=250.0, description="95th percentile, one image")
    max_latency_ratio: float = Field(
        default=2.0, description="95th percentile, candidate to champion"
    )
    min_latency_ms: float = Field(
        default=50.0, description="95th percentile below which no ratio matters"
    )
    max_size_mb: float = Field(default=100.0, description="of all files of the package")
    max_memory_mb: float = Field(
        default=512.0, description="peak of a process that opens the package and answers"
    )
    max_slice_drop: float = Field(
        default=0.10,
        description="most that mAP50 of a camera, hour, size, crowding or class may fall; a fall "
        "counts if it is there in almost all resamples, too",
    )
    min_slice_boxes: int = Field(
        default=50, description="true boxes below which a slice says nothing"
    )
    max_hard_lost: float = Field(
        default=0.2,
        description="of the hard cases, the share that a candidate may keep fewer of than the "
        "champion, and one in any case",
    )

    def few(self, images: int, split: str) -> str:
        """Return a warning if metrics on so few images are unreliable; empty if there are enough.

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
        """Return whether a fall of mAP50 in a slice of so many boxes matters; True for NaN."""
        return boxes >= self.min_slice_boxes and not fall <= self.max_slice_drop

    def confidence(self, candidates: int) -> float:
        """Return the two-sided level of an interval whose ends each cut off a candidate's part.

        >>> PromotionPolicy(alpha=0.06).confidence(2)
        0.96
        """
        return 1 - 2 * self.alpha / (candidates + 1)


class DriftPolicy(Record):
    """Thresholds at which a window of served frames counts as drifted."""

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
    max_repeated_share: float = Field(
        default=0.5, description="frames of a window that may show the same picture as another"
    )
    max_stuck_share: float = Field(default=0.9, description="the same, of one camera's frames")
    min_repeated: int = Field(default=10, description="frames from which on repeats matter")
    max_blank_share: float = Field(
        default=0.02, description="frames without contrast, beyond the reference's share"
    )
    max_silent_share: float = Field(
        default=0.25, description="cameras of the reference that may send nothing"
    )
    min_expected: float = Field(
        default=3.0, description="frames to expect of a camera before it counts as silent"
    )
    quantile: float = Field(
        default=0.99, description="of the distances between resamples, which a drift must pass"
    )


class RolloutPolicy(Record):
    """Steps of a canary rollout, and thresholds of a rollback."""

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
    min_latency_answers: int = Field(
        default=40,
        description="answers of each side, in the same seconds, that a second look at a slow "
        "candidate needs",
    )
    turn_seconds: float = Field(
        default=600.0, description="for a rollout of another dataset in the same place to end"
    )
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


class TuningPolicy(Record):
    """Budget of a search for settings, and the margin of a winner."""

    short_share: float = Field(default=1 / 3, gt=0, le=1, description="of the epochs, at first")
    kept_share: float = Field(default=1 / 3, gt=0, le=1, description="of the trials, which go on")
    min_gain: float = Field(
        default=0.005, description="least rise in mAP50-95 over the defaults, as a fraction"
    )
    max_latency_ms: float = Field(default=250.0, description="95th percentile, one image")


class OutagePolicy(Record):
    """Time limits for waiting on an outage of database, object store, stream or API."""

    max_attempts: int = Field(default=6, ge=1, description="at the whole task, the first included")
    min_wait_s: float = Field(default=5.0, ge=0, description="before the second attempt")
    max_wait_s: float = Field(default=60.0, ge=0, description="each wait doubles up to this")

    def wait_s(self, failed: int) -> float:
        """Return how long to wait after so many failed attempts, in seconds.

        >>> [OutagePolicy().wait_s(failed) for failed in (1, 2, 3, 4, 5)]
        [5.0, 10.0, 20.0, 40.0, 60.0]
        """
        return min(self.min_wait_s * 2.0 ** (failed - 1), self.max_wait_s)


class ImportPolicy(Record):
    """Limits of one import, so that no archive fills a disk."""

    max_files: int = Field(default=200_000, ge=1, description="images, labels and others")
    max_mb: int = Field(default=20_000, ge=1, description="of all files, unpacked")
    max_file_mb: int = Field(default=1_000, ge=1, description="of one file")
