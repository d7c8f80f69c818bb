"""Kubeflow Pipelines from outside: upload versions, submit runs, apply schedules."""

from pipelines.kubeflow.host import Host

__all__ = ["Host"]
