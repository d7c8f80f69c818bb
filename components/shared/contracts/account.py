"""The service account whose rights the pods of a run have: one name for all who spell it."""

import os

PIPELINE = "car-pipeline"
CHOSEN = "KFP_SERVICE_ACCOUNT"  # where a cluster's has another name
EXPECTED = "TASK_ACCOUNT"  # in the environment of tasks: the account they were compiled for


def pipeline_account() -> str:
    """Return the service account of a run's pods: the chosen one, or that of this very run."""
    return os.environ.get(CHOSEN) or os.environ.get(EXPECTED) or PIPELINE
