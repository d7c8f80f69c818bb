"""Decide whether a new model replaces the one in service, and say why."""
