"""Kubeflow Pipelines API client: authentication, runs, tasks and logs."""

# Inside a job kfp hides all that compiles, and its client then fails unless this comes first.
import kfp.dsl.component_decorator  # noqa: F401
