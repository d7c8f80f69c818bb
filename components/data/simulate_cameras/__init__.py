"""Cameras that do not exist: what they draw is labelled to the pixel."""
