"""Pipeline `tune`: hyperparameter search by successive halving; writes a recipe for `train`."""

from kfp import dsl

from components.data.snapshot_dataset.component import snapshot_dataset
from components.data.validate_dataset.component import validate_dataset
from components.promotion.evaluate_detector.component import evaluate_detector
from components.promotion.fetch_model.component import fetch_model
from components.training.export_onnx.component import export_onnx
from components.training.train_detector.component import train_detector
from components.tuning.narrow_settings.component import narrow_settings
from components.tuning.pick_settings.component import pick_settings
from components.tuning.propose_settings.component import propose_settings
from pipelines.exit_handler import exit_handler
from pipelines.placement import heavy, light


@dsl.pipeline(
    name="tune-car-detector",
    description="Search hyperparameters by successive halving: train all trials briefly and the "
    "better ones in full, and write the best as a recipe for train. Nothing is registered.",
)
def tune(
    dataset: str = "car-parks",
    trials: int = 9,
    epochs: int = 12,
    budget: str = "unlimited",
    space: str = "",
    seed: int = 0,
    workers: int = 1,
    launcher: str = "local",
) -> None:
    """Search settings for training on one dataset, by its validation split alone.

    Args:
        dataset: Name of the dataset.
        trials: Number of trials, the defaults included.
        epochs: Epochs of a finalist; every trial begins with a third of them.
        budget: Epochs over all trials, or `unlimited`; it may reduce the number of trials.
        space: YAML of the search space, such as `size: [pico, nano]` or `learning_rate: {low:
            0.001, high: 0.01, log: true}`; empty: the default space.
        seed: Seed of everything random.
        workers: TensorFlow workers of each training.
        launcher: Launcher of the workers: `local`, `tfjob` or `trainjob`.
    """
    with exit_handler("tune"):
        proposed = light(
            propose_settings(trials=trials, epochs=epochs, budget=budget, space=space, seed=seed)
        )
        champion = light(fetch_model(dataset=dataset))
        frozen = light(snapshot_dataset(dataset=dataset))
        snapshot = frozen.outputs["snapshot"]
        valid = light(validate_dataset(snapshot=snapshot))

        def trained_by(recipe: str) -> dsl.PipelineTask:
            training = train_detector(
                snapshot=snapshot,
                champion=champion.outputs["fetched"],
                recipe=recipe,
                seed=seed,
                workers=workers,
                launcher=launcher,
                trial=True,
            )
            return heavy(training)

        with dsl.ParallelFor(
            proposed.output, name="each setting, briefly", parallelism=4
        ) as recipe:
            short = trained_by(recipe).after(valid).set_display_name("train briefly")

        narrowed = light(
            narrow_settings(
                recipes=proposed.output,
                trained=dsl.Collected(short.outputs["trained"]),
                epochs=epochs,
            )
        )
        finalists = narrowed.outputs["Output"]

        with dsl.ParallelFor(finalists, name="each finalist, in full", parallelism=4) as recipe:
            full = trained_by(recipe).set_display_name("train in full")
            exported = export_onnx(snapshot=snapshot, trained=full.outputs["trained"])
            heavy(exported)
            evaluated = evaluate_detector(
                snapshot=snapshot,
                from_scratch=exported.outputs["package"],
                champion=champion.outputs["fetched"],
                split="validation",
            )
            heavy(evaluated)

        light(
            pick_settings(
                recipes=proposed.output,
                trained=dsl.Collected(short.outputs["trained"]),
                finalists=finalists,
                packages=dsl.Collected(exported.outputs["package"]),
                reports=dsl.Collected(evaluated.outputs["report"]),
            )
        )
