"""Continuous delivery: decide whether a merge needs a training."""
