"""Pipeline `watch`: extract a window, detect drift, decide on retraining and submit it."""

from kfp import dsl

from components.monitoring.decide_retraining.component import decide_retraining
from components.monitoring.detect_drift.component import detect_drift
from components.monitoring.extract_window.component import extract_window
from components.monitoring.submit_training.component import submit_training
from components.promotion.fetch_model.component import fetch_model
from pipelines.exit_handler import exit_handler
from pipelines.placement import light


@dsl.pipeline(
    name="watch-car-detector",
    description="Measure the drift of recently served frames from the champion's reference "
    "frames, decide with a reason whether to train again, and submit that training once.",
)
def watch(
    dataset: str = "car-parks",
    workers: int = 2,
    launcher: str = "local",
    approval: str = "auto",
    recipe: str = "",
) -> None:
    """Monitor the detector of one dataset.

    Args:
        dataset: Name of the dataset.
        workers: TensorFlow workers of a training that is submitted.
        launcher: Launcher of its workers: `local`, `tfjob` or `trainjob`.
        approval: `auto` deploys its promoted model at once; `manual` registers it and waits.
        recipe: Its settings, YAML such as the tune pipeline writes.
    """
    with exit_handler("watch"):
        champion = light(fetch_model(dataset=dataset))
        extracted = light(extract_window(dataset=dataset))
        window = extracted.outputs["window"]
        drift = light(detect_drift(window=window, champion=champion.outputs["fetched"]))
        decided = decide_retraining(dataset=dataset, window=window, drift=drift.outputs["drift"])
        light(decided)

        with dsl.If(decided.outputs["Output"] == True, name="if retraining is decided"):  # noqa: E712 (kfp DSL)
            submitted = submit_training(
                dataset=dataset,
                window=window,
                workers=workers,
                launcher=launcher,
                approval=approval,
                recipe=recipe,
            )
            light(submitted)
