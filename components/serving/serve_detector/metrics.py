"""Prometheus counters of the server: predictions logged and lost, packages loaded."""

from prometheus_client import Counter

LOGGED = Counter("predictions_logged", "Answers that reached the stream")
LOST = Counter("predictions_lost", "Answers that did not reach the stream")
LOADED = Counter("models_loaded", "Packages that were put in service", ["dataset"])
