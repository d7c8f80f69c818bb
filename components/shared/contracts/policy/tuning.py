"""Policy of a search for settings."""

from components.shared.contracts.policy.field import limit
from components.shared.contracts.record import Record


class TuningPolicy(Record):
    """Budget of a search for settings, and the margin of a winner."""

    short_share: float = limit(1 / 3, "share", description="of the epochs, at first", gt=0, le=1)
    kept_share: float = limit(1 / 3, "share", description="of the trials, which go on", gt=0, le=1)
    min_gain: float = limit(
        0.005, "mAP50-95", description="least rise over the defaults, as a fraction", ge=-1, le=1
    )
    max_latency_ms: float = limit(250.0, "ms", description="95th percentile, one image", gt=0)
