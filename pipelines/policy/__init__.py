"""Lint rules for compiled pipelines, checked before one is uploaded to a cluster."""
