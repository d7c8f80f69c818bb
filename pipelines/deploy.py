"""Put one registered model into service: a person's approval, or a step back."""

from kfp import dsl

from components.deploy_model.component import deploy_model
from pipelines.ending import recorded
from pipelines.placement import light, with_database, with_detector, with_objects


@dsl.pipeline(
    name="deploy-car-detector",
    description="Serve one registered model, by degrees; or send it back.",
)
def deploy(dataset: str = "car-parks", model: str = "challenger") -> None:
    """Serve a registered model.

    Args:
        dataset: Name of the dataset it belongs to.
        model: Digest of its package, or the alias `challenger` or `previous`.
    """
    with recorded("deploy"):
        deployed = deploy_model(dataset=dataset, model=model, run=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
        light(with_detector(with_objects(with_database(deployed))))
