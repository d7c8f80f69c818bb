"""Pipeline `deploy`: roll out one registered model, by a person's approval or as a rollback."""

from kfp import dsl

from components.promotion.check_model.component import check_model
from components.promotion.deploy_model.component import deploy_model
from components.promotion.fetch_model.component import fetch_model
from pipelines.exit_handler import exit_handler
from pipelines.placement import light, long


@dsl.pipeline(
    name="deploy-car-detector",
    description="Check one registered model and deploy it by a canary rollout beside the "
    "champion; promote it or roll it back.",
)
def deploy(dataset: str = "car-parks", model: str = "challenger") -> None:
    """Serve a registered model.

    Args:
        dataset: Name of the dataset.
        model: Digest of its package, or the alias `challenger` or `previous`.
    """
    with exit_handler("deploy"):
        fetched = light(fetch_model(dataset=dataset, model=model))
        checked = check_model(package=fetched.outputs["fetched"], dataset=dataset, must_pass=True)
        light(checked)
        deployed = deploy_model(
            dataset=dataset, model=checked.outputs["Output"], run=dsl.PIPELINE_JOB_ID_PLACEHOLDER
        )
        long(deployed)
