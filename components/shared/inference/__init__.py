"""Inference with a package in ONNX Runtime, the same for server, evaluation and batch."""
