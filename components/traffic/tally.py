"""What clients met at one side of a rollout; the numbers only grow, a difference is a period."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Answers counted since a side came up.

    Attributes:
        requests: Answered or failed.
        errors: Of these, the failed ones (5xx, no answer, too late); a refusal that the
            client earned (4xx) is none.
        boxes: In all answers together.
        scores: Sum of the scores of these boxes.
        latencies: Answers that took at most so many seconds, by upper bound, as a
            Prometheus histogram counts them (cumulative, the last bound infinite).
    """

    requests: int = 0
    errors: int = 0
    boxes: int = 0
    scores: float = 0.0
    latencies: dict[float, int] = field(default_factory=dict)

    def since(self, earlier: "Tally") -> "Tally":
        """Return what came after an earlier look.

        >>> Tally(requests=9, errors=1).since(Tally(requests=4)).requests
        5
        """
        return Tally(
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
        """Return the upper bound below which a share of the answers came, in milliseconds.

        Args:
            quantile: The share, in (0, 1].

        Returns:
            0 if nothing was answered; infinite beyond the last finite bound.

        >>> import math
        >>> Tally(latencies={0.01: 90, 0.1: 99, math.inf: 100}).latency_ms(0.95)
        100.0
        """
        total = max(self.latencies.values(), default=0)
        if not total:
            return 0.0
        return min(b for b, count in self.latencies.items() if count >= quantile * total) * 1000
