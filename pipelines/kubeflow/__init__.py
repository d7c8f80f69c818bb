"""Kubeflow Pipelines from outside: versions, runs and schedules, by hand or from a notebook."""

from pipelines.kubeflow.host import Host

__all__ = ["Host"]
