"""What Prometheus is told beside what KServe tells it; `/metrics` has both."""

from prometheus_client import Counter, Histogram

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)

DETECT_SECONDS = Histogram(
    "detect_seconds", "From the whole request to the boxes", ["dataset"], buckets=SECONDS
)
BOXES = Counter("detect_boxes", "Boxes that were answered", ["dataset"])
DECLINED = Counter("requests_declined", "Requests that were told why not", ["status"])
LOGGED = Counter("predictions_logged", "Answers that reached the stream")
LOST = Counter("predictions_lost", "Answers that did not reach the stream")
LOADED = Counter("models_loaded", "Packages that were put in service", ["dataset"])
