"""Parse request counts and latencies from a Prometheus `/metrics` page."""

from prometheus_client.parser import text_string_to_metric_families

from components.shared.traffic.request_metrics import RequestMetrics


def request_metrics_of(exposition: str, dataset: str, side: str) -> RequestMetrics:
    """Return the request metrics of one side from a page of metrics.

    Args:
        exposition: Text of `/metrics`.
        dataset: Value of the label `dataset`.
        side: Value of the label `side`.

    >>> text = 'car_detector_requests_total{dataset="a",side="s",outcome="error"} 3.0'
    >>> request_metrics_of(text, "a", "s")
    RequestMetrics(requests=3, errors=3, boxes=0, scores=0.0, latencies={})
    """
    numbers: dict[str, float] = {}
    outcomes: dict[str, float] = {}
    latencies: dict[float, int] = {}
    for family in text_string_to_metric_families(exposition):
        for name, labels, value, *_ in family.samples:
            if (labels.get("dataset"), labels.get("side")) != (dataset, side):
                continue
            if name == "car_detector_requests_total":
                outcomes[labels["outcome"]] = value
            elif name == "car_detector_latency_seconds_bucket":
                latencies[float(labels["le"])] = int(value)
            else:
                numbers[name] = value
    return RequestMetrics(
        requests=int(sum(outcomes.values())),
        errors=int(outcomes.get("error", 0)),
        boxes=int(numbers.get("car_detector_boxes_total", 0)),
        scores=numbers.get("car_detector_scores_total", 0.0),
        latencies=latencies,
    )
