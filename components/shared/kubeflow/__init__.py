"""Kubeflow Pipelines API client: authentication, runs, tasks and logs."""

# In a task kfp does not import its compiler, and its client fails unless this is imported first.
import kfp.dsl.component_decorator  # noqa: F401
