"""Freezes what was served since the last decision, so that drift is measured on a fixed thing."""
