"""HTTP API in front of the detectors: frames, predictions, labels, corrections and queries."""
