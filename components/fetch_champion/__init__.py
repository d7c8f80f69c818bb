"""Bring the model that is in service to where a pipeline needs it."""
