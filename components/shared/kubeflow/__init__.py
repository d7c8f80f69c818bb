"""The host of Kubeflow Pipelines, as jobs and people meet it: who asks, and how runs are called."""

# Inside a job kfp hides all that compiles, and its client then fails unless this comes first.
import kfp.dsl.component_decorator  # noqa: F401
