"""Exit handler of the pipelines: record the outcome of a run in the database."""

from kfp import dsl

from components.monitoring.record_outcome.component import record_outcome
from pipelines.placement import last, with_database, with_kubeflow


def recorded(pipeline: str) -> dsl.ExitHandler:
    """Return the block around a pipeline's tasks after which its outcome is recorded.

    Args:
        pipeline: What people call it; the block has the same name in a run's graph.
    """
    outcome = record_outcome(pipeline=pipeline, run=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
    return dsl.ExitHandler(last(with_kubeflow(with_database(outcome))), name=pipeline)
