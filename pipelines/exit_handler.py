"""Exit handler of the pipelines: record the outcome of a run in the database."""

from kfp import dsl

from components.monitoring.record_outcome.component import record_outcome
from pipelines.placement import last


def exit_handler(pipeline: str) -> dsl.ExitHandler:
    """Return the KFP exit handler around a pipeline's tasks, which records the run's outcome.

    Args:
        pipeline: Command-line name of the pipeline; the block has it in a run's graph, too.
    """
    outcome = record_outcome(pipeline=pipeline, run=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
    return dsl.ExitHandler(last(outcome), name=pipeline)
