"""Writes down how a run ended and why, also when it failed."""
