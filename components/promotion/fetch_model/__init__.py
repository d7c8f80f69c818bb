"""Fetch a registered model into an artifact of a pipeline."""
