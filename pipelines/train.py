"""Train on what is known now; serve the result if it is better, and if that is approved."""

from kfp import dsl

from components.deploy_model.component import deploy_model
from components.evaluate_detector.component import evaluate_detector
from components.export_onnx.component import export_onnx
from components.fetch_champion.component import fetch_champion
from components.judge_model.component import judge_model
from components.register_model.component import register_model
from components.snapshot_dataset.component import snapshot_dataset
from components.train_detector.component import train_detector
from components.validate_dataset.component import validate_dataset
from pipelines.ending import recorded
from pipelines.placement import (
    heavy,
    light,
    with_database,
    with_detector,
    with_objects,
    with_signing_key,
    with_workers,
)


@dsl.pipeline(
    name="train-car-detector",
    description="Snapshot, validate, train heir and challenger, export, compare, register, serve.",
)
def train(
    dataset: str = "car-parks",
    epochs: int = 0,
    image_size: int = 320,
    seed: int = 0,
    workers: int = 2,
    launcher: str = "local",
    approval: str = "auto",
    grow_test: bool = False,
) -> None:
    """Train a detector for one dataset and serve it if it beats what is in service.

    Args:
        dataset: Name of the dataset, whose classes, champion and test set are its own.
        epochs: Passes over the training images; 0 chooses by their number.
        image_size: Longer side of the network's input, in pixels, a multiple of 32.
        seed: Seeds everything random.
        workers: TensorFlow workers that train together.
        launcher: What starts the workers: `local`, `tfjob` or `trainjob`.
        approval: `auto` serves a winner at once; `manual` registers it and waits.
        grow_test: Whether groups that no snapshot has seen may enter the test set.
    """
    with recorded("train"):
        champion = light(with_objects(with_database(fetch_champion(dataset=dataset))))
        frozen = light(
            with_objects(with_database(snapshot_dataset(dataset=dataset, grow_test=grow_test)))
        )
        snapshot = frozen.outputs["snapshot"]
        valid = light(with_objects(validate_dataset(snapshot=snapshot)))

        packages, trained = {}, {}
        for role, start in (("heir", "champion"), ("challenger", "scratch")):
            training = train_detector(
                snapshot=snapshot,
                champion=champion.outputs["champion"],
                start=start,
                epochs=epochs,
                image_size=image_size,
                seed=seed,
                workers=workers,
                launcher=launcher,
            )
            heavy(with_workers(with_objects(training))).after(valid).set_display_name(
                f"train {role}"
            )
            trained[role] = training.outputs["trained"]
            exported = export_onnx(snapshot=snapshot, trained=trained[role])
            heavy(with_objects(exported)).set_display_name(f"export {role}")
            packages[role] = exported.outputs["package"]

        evaluated = heavy(
            with_objects(
                evaluate_detector(
                    snapshot=snapshot,
                    heir=packages["heir"],
                    challenger=packages["challenger"],
                    champion=champion.outputs["champion"],
                )
            )
        )
        judged = light(judge_model(report=evaluated.outputs["report"]))

        with dsl.If(judged.outputs["Output"] != "none", name="better"):
            registered = register_model(
                winner=judged.outputs["Output"],
                report=evaluated.outputs["report"],
                references=evaluated.outputs["references"],
                verdict=judged.outputs["verdict"],
                heir_package=packages["heir"],
                challenger_package=packages["challenger"],
                heir_trained=trained["heir"],
                challenger_trained=trained["challenger"],
            )
            light(with_signing_key(with_objects(with_database(registered))))

            with dsl.If(approval == "auto", name="approved"):
                deployed = deploy_model(
                    dataset=dataset, model=registered.output, run=dsl.PIPELINE_JOB_ID_PLACEHOLDER
                )
                light(with_detector(with_objects(with_database(deployed))))
