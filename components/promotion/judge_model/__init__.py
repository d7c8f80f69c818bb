"""Decide whether a new model replaces the one in service, with a reason."""
