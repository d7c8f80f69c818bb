"""HTTP server of detectors: JPEG in, boxes out, and the Open Inference Protocol."""
