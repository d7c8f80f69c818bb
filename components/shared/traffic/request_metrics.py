"""Request counts and latency histogram of the stable server or the candidate, with differences."""

import math
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMetrics:
    """Request metrics of one side since its server started; all numbers only grow.

    Attributes:
        requests: Number of requests, answered or failed.
        errors: Number of failed ones (5xx, no answer, timeout); mistakes of clients (4xx) are
            not counted.
        boxes: Number of boxes in all answers.
        scores: Sum of the scores of these boxes.
        latencies: Number of answers by upper bound of the latency in seconds, as a
            Prometheus histogram counts them (cumulative, the last bound infinite).
    """

    requests: int = 0
    errors: int = 0
    boxes: int = 0
    scores: float = 0.0
    latencies: dict[float, int] = field(default_factory=dict)

    def __add__(self, other: "RequestMetrics") -> "RequestMetrics":
        """Return the sum of the metrics of two servers."""
        bounds = {*self.latencies, *other.latencies}
        return RequestMetrics(
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            boxes=self.boxes + other.boxes,
            scores=self.scores + other.scores,
            latencies={b: self.latencies.get(b, 0) + other.latencies.get(b, 0) for b in bounds},
        )

    def since(self, earlier: "RequestMetrics") -> "RequestMetrics":
        """Return the difference to an earlier tally; after a restart, all since the restart.

        >>> RequestMetrics(requests=9, errors=1).since(RequestMetrics(requests=4)).requests
        5
        """
        if self.requests < earlier.requests:
            return self
        return RequestMetrics(
            requests=self.requests - earlier.requests,
            errors=self.errors - earlier.errors,
            boxes=self.boxes - earlier.boxes,
            scores=self.scores - earlier.scores,
            latencies={
                bound: count - earlier.latencies.get(bound, 0)
                for bound, count in self.latencies.items()
            },
        )

    def latency_ms(self, quantile: float) -> float:
        """Return the upper bound of a quantile of the latency, in milliseconds.

        Args:
            quantile: The quantile, in (0, 1].

        Returns:
            0 if nothing was answered; infinite beyond the last finite bound.

        >>> import math
        >>> RequestMetrics(latencies={0.01: 90, 0.1: 99, math.inf: 100}).latency_ms(0.95)
        100.0
        """
        return self.latency_range_ms(quantile)[1]

    def latency_range_ms(self, quantile: float) -> tuple[float, float]:
        """Return the bounds of the histogram bucket with a quantile of the latency.

        Args:
            quantile: The quantile, in (0, 1].

        Returns:
            Milliseconds: above the first, at most the second.

        >>> import math
        >>> RequestMetrics(latencies={0.01: 90, 0.1: 99, math.inf: 100}).latency_range_ms(0.95)
        (10.0, 100.0)
        """
        total = max(self.latencies.values(), default=0)
        if not total:
            return 0.0, 0.0
        low = 0.0
        for bound, count in sorted(self.latencies.items()):
            if count >= quantile * total:
                return low * 1000, bound * 1000
            low = bound
        return low * 1000, math.inf
