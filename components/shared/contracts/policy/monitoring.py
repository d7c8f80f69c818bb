"""Policies of monitoring: the window of served frames, and drift."""

from components.shared.contracts.policy.field import limit
from components.shared.contracts.record import Record


class WindowPolicy(Record):
    """Size of a window of served frames."""

    max_frames: int = limit(500, "frames", description="of a window; an even sample of more", ge=1)


class DriftPolicy(Record):
    """Thresholds at which a window of served frames counts as drifted."""

    min_frames: int = limit(
        20, "frames", description="of window and reference each, before anything is said", ge=1
    )
    alpha: float = limit(
        0.001,
        "probability",
        description="of a false alarm per window, were all frames independent",
        gt=0,
        lt=1,
    )
    min_distance: float = limit(
        0.25, "distance", description="least Kolmogorov-Smirnov distance that matters", ge=0, le=1
    )
    few_cameras: int = limit(
        4,
        "cameras",
        description="of the reference, at which that distance is halfway to 1, for few cameras do "
        "not show all weathers",
        ge=0,
    )
    min_drifted: int = limit(2, "descriptors", description="that must drift together", ge=1)
    min_cameras: int = limit(
        8,
        "cameras",
        description="of the reference, before a camera it does not know can be judged",
        ge=1,
    )
    resamples: int = limit(
        400, "resamples", description="of the reference, to see what chance reaches", ge=1
    )
    quantile: float = limit(
        0.99,
        "quantile",
        description="of the distances between resamples, which a drift must pass",
        gt=0,
        lt=1,
    )
    max_snapshot_images: int = limit(
        500, "images", description="of a snapshot that is compared in place of a window", ge=1
    )
    max_repeated_bits: int = limit(
        4, "bits", description="of 256, in which the hashes of two repeated frames differ", ge=0,
        le=31,
    )  # fmt: skip
    max_repeated_share: float = limit(
        0.5, "share", description="of a window, frames that show the same picture as another",
        ge=0, le=1,
    )  # fmt: skip
    max_stuck_share: float = limit(
        0.9, "share", description="the same, of one camera's frames", ge=0, le=1
    )
    min_repeated: int = limit(10, "frames", description="from which on repeats matter", ge=1)
    max_blank_contrast: float = limit(
        0.015,
        "deviation",
        description="of the grey levels, 0 to 1, below which a frame is blank",
        ge=0,
        le=1,
    )
    max_blank_share: float = limit(
        0.02, "share", description="of blank frames, beyond the reference's", ge=0, le=1
    )
    max_silent_share: float = limit(
        0.25, "share", description="of the reference's cameras that may send nothing", ge=0, le=1
    )
    min_expected: float = limit(
        3.0, "frames", description="to expect of a camera before it counts as silent", ge=0
    )
