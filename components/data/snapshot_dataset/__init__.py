"""Freeze the labelled images of a dataset into an immutable snapshot with stable splits."""
