"""Boxes over HTTP: JPEG in, boxes out, and the Open Inference Protocol beside it."""
