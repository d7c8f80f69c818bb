"""Asks for a training once for each window, whatever happens in between."""
