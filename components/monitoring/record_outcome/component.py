"""KFP component `record_outcome`, the exit handler of every pipeline."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def record_outcome(pipeline: str, status: dsl.PipelineTaskFinalStatus, run: str = "") -> None:
    """Record the final state of a run, and the reason of a failure.

    Args:
        pipeline: Command-line name of the pipeline: `train`, `watch` and so on.
        status: Filled in by Kubeflow.
        run: Id of the run, `dsl.PIPELINE_JOB_ID_PLACEHOLDER`; without it runs on a laptop,
            which all have one name, share a row.
    """
    import os
    from contextlib import closing

    from components.monitoring.record_outcome.outcome import ended
    from components.shared.contracts.progress import log_progress
    from components.shared.store.postgres import connect
    from components.shared.store.registry import Registry

    run_id = run or status.pipeline_job_resource_name
    outcome = ended(run_id, status, os.environ.get("KFP_HOST", ""))
    with closing(connect(os.environ["DATABASE_URL"])) as connection:
        Registry(connection).record_outcome(outcome.run_id, pipeline, outcome.state, outcome.reason)
    log_progress(f"{pipeline} {outcome.sentence}")
