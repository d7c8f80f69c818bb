"""Detect drift between served frames and the champion's reference frames."""
