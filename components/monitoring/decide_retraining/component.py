"""KFP component `decide_retraining`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def decide_retraining(
    dataset: str,
    window: dsl.Input[dsl.Dataset],
    drift: dsl.Input[dsl.Artifact],
    record: dsl.Output[dsl.Markdown],
) -> bool:
    """Decide whether to train again, and record why or why not.

    Args:
        dataset: Name of the dataset.
        window: Laid out as `contracts.snapshot.WindowLayout`.
        drift: A `contracts.report.DriftReport` about the window.
        record: The decision, its reason and its numbers, for people.

    Returns:
        True if a training is wanted.
    """
    import os
    from contextlib import closing
    from pathlib import Path

    from components.monitoring.decide_retraining import decide
    from components.shared.contracts.progress import log_progress
    from components.shared.contracts.report import DriftReport
    from components.shared.contracts.snapshot import WindowInfo, WindowLayout
    from components.shared.store.postgres import connect
    from components.shared.store.registry import Registry

    report = DriftReport.read(drift.path)
    info = WindowInfo.read(WindowLayout(window.path).info)
    with closing(connect(os.environ["DATABASE_URL"])) as connection:
        decision, text = decide.record(Registry(connection), dataset, info, report)
    Path(record.path).write_text(text)
    log_progress(decision.reason)
    log_progress(decide.summary(decision, report))
    return decision.retrain
