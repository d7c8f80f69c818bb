"""Bring a registered model to where a pipeline needs it."""
