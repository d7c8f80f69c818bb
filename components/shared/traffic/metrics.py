"""Prometheus metrics of requests (count, latency, boxes, scores), for servers and proxy alike."""

from typing import Literal

from prometheus_client import Counter, Histogram

Outcome = Literal["ok", "error", "refused"]

# Each bound is about 1.5 times the one before, so that a doubled latency shows.
BOUNDS = (
    0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5,
    0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0,
)  # fmt: skip

REQUESTS = Counter(
    "car_detector_requests", "Requests that were answered or failed", ["dataset", "side", "outcome"]
)
LATENCY = Histogram(
    "car_detector_latency_seconds",
    "From the whole request to the answer, or to giving up",
    ["dataset", "side"],
    buckets=BOUNDS,
)
BOXES = Counter("car_detector_boxes", "Boxes that were answered", ["dataset", "side"])
DECLINED = Counter("requests_declined", "Requests that were refused", ["status"])
SCORES = Counter(
    "car_detector_scores", "Sum of the scores of the boxes that were answered", ["dataset", "side"]
)


def count(
    dataset: str,
    side: str,
    outcome: Outcome,
    seconds: float,
    boxes: int = 0,
    scores: float = 0.0,
) -> None:
    """Count one request.

    Args:
        dataset: Name of a known dataset, since each becomes a time series.
        side: `stable` or `candidate` at the proxy, the digest of the model at a server.
        outcome: `error` is a failure of the server, `refused` a mistake of the client.
        seconds: Latency, in seconds.
        boxes: Number of boxes in the answer.
        scores: Sum of their scores.
    """
    REQUESTS.labels(dataset, side, outcome).inc()
    LATENCY.labels(dataset, side).observe(seconds)
    BOXES.labels(dataset, side).inc(boxes)
    SCORES.labels(dataset, side).inc(scores)
