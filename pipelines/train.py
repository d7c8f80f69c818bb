"""Pipeline `train`: snapshot, train two candidates, evaluate, judge, register and deploy."""

from typing import Any

from kfp import dsl

from components.data.snapshot_dataset.component import snapshot_dataset
from components.data.validate_dataset.component import validate_dataset
from components.promotion.check_model.component import check_model
from components.promotion.deploy_model.component import deploy_model
from components.promotion.evaluate_detector.component import evaluate_detector
from components.promotion.fetch_model.component import fetch_model
from components.promotion.judge_model.component import judge_model
from components.promotion.register_model.component import register_model
from components.training.export_onnx.component import export_onnx
from components.training.train_detector.component import train_detector
from pipelines.exit_handler import exit_handler
from pipelines.placement import heavy, light, long


def _candidate(
    role: str, valid: dsl.PipelineTask, snapshot: Any, form: dict[str, str], **chosen: Any
) -> tuple[Any, Any]:
    """Train one model on what is valid, export it and check it; return it and its package."""
    name = role.replace("_", " ")
    training = train_detector(snapshot=snapshot, **chosen).after(valid)
    heavy(training).set_display_name(f"train {name}")
    trained = training.outputs["trained"]
    exported = export_onnx(snapshot=snapshot, trained=trained, **form)
    heavy(exported).set_display_name(f"export {name}")
    checked = check_model(snapshot=snapshot, package=exported.outputs["package"])
    light(checked).set_display_name(f"check {name}")
    return trained, checked.outputs["checked"]


@dsl.pipeline(
    name="train-car-detector",
    description="Train two candidates on all labelled images, compare them with the champion on "
    "the same test images, register the better one, and deploy it if approval is auto.",
)
def train(
    dataset: str = "car-parks",
    epochs: str = "auto",
    image_size: int = 320,
    seed: int = 0,
    workers: int = 2,
    launcher: str = "local",
    approval: str = "auto",
    grow_test: bool = False,
    recipe: str = "",
    served_precision: str = "float32",
    suppression: str = "outside",
) -> None:
    """Train a detector for one dataset and serve it if it beats what is in service.

    Args:
        dataset: Name of the dataset, whose classes, champion and test set are its own.
        epochs: Passes over the training images; `auto` derives it from their number.
        image_size: Longer side of the network's input, in pixels, a multiple of 32.
        seed: Seed of everything random.
        workers: TensorFlow workers that train together.
        launcher: Launcher of the workers: `local`, `tfjob` or `trainjob`.
        approval: `auto` deploys a promoted model at once; `manual` registers it and waits.
        grow_test: Whether groups that no snapshot has seen may enter the test set.
        recipe: YAML of more settings, such as the tune pipeline writes; @FILE reads a file.
        served_precision: `float32`, or `int8` where that loses no more mAP50-95 on the
            validation images than the policy allows.
        suppression: `outside` of the served graph, or `inside` too, for clients that have none.
    """
    with exit_handler("train"):
        champion = light(fetch_model(dataset=dataset))
        frozen = light(snapshot_dataset(dataset=dataset, grow_test=grow_test))
        snapshot = frozen.outputs["snapshot"]
        valid = light(validate_dataset(snapshot=snapshot))

        packages, trained = {}, {}
        for role, start in (("fine_tuned", "champion"), ("from_scratch", "scratch")):
            trained[role], packages[role] = _candidate(
                role, valid, snapshot=snapshot, champion=champion.outputs["fetched"], start=start,
                form={"precision": served_precision, "suppression": suppression}, epochs=epochs,
                image_size=image_size, seed=seed, workers=workers, launcher=launcher, recipe=recipe,
            )  # fmt: skip

        evaluated = evaluate_detector(
            snapshot=snapshot,
            fine_tuned=packages["fine_tuned"],
            from_scratch=packages["from_scratch"],
            champion=champion.outputs["fetched"],
        )
        heavy(evaluated)
        judged = light(judge_model(report=evaluated.outputs["report"]))

        with dsl.If(judged.outputs["Output"] != "none", name="if better"):
            registered = register_model(
                winner=judged.outputs["Output"],
                snapshot=snapshot,
                report=evaluated.outputs["report"],
                references=evaluated.outputs["references"],
                verdict=judged.outputs["verdict"],
                fine_tuned_package=packages["fine_tuned"],
                from_scratch_package=packages["from_scratch"],
                fine_tuned_trained=trained["fine_tuned"],
                from_scratch_trained=trained["from_scratch"],
            )
            light(registered)

            with dsl.If(approval == "auto", name="if approved"):
                deployed = deploy_model(
                    dataset=dataset,
                    model=registered.outputs["Output"],
                    run=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
                )
                long(deployed)
