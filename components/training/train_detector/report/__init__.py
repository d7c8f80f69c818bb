"""Curves, TensorBoard events and the run in MLflow."""
