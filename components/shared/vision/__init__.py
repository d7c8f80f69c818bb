"""Image processing on arrays: decoding, boxes, letterbox, suppression, hashes and metrics."""
