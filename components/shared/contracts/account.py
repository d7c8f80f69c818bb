"""Name the service account of a pipeline run's pods."""

import os

PIPELINE = "car-pipeline"
CHOSEN = "KFP_SERVICE_ACCOUNT"  # where a cluster's has another name
EXPECTED = "TASK_ACCOUNT"  # in the environment of tasks: the account they were compiled for


def pipeline_account() -> str:
    """Return the service account of a run's pods: the configured one, or that of this run."""
    return os.environ.get(CHOSEN) or os.environ.get(EXPECTED) or PIPELINE
