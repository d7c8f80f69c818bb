"""Kubeflow component `deploy_model`: canary rollout of a registered model."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("deployer"), install_kfp_package=False)
def deploy_model(dataset: str, model: str, page: dsl.Output[dsl.HTML], run: str = "") -> str:
    """Deploy a registered model by a canary rollout, and promote it or roll it back.

    DETECTOR_TARGET names the place where models are served, POLICY changes the limits.

    Args:
        dataset: Name of the dataset.
        model: Digest of its package, or the alias `challenger` or `previous`.
        page: Traffic shares, latencies, failures and outcome of the rollout.
        run: Name of the run: a retry deploys the same model, whatever the alias points at by
            then, and does not deploy again a model that it has rolled back.

    Returns:
        The digest of the model that serves.
    """
    import os
    from contextlib import closing

    from components.promotion.deploy_model.deploy import deploy
    from components.promotion.deploy_model.packages import registered
    from components.promotion.deploy_model.page import write_rollout_page
    from components.promotion.deploy_model.pictures import served_lately
    from components.promotion.deploy_model.rollout import about
    from components.promotion.deploy_model.targets import target_from
    from components.shared.contracts.progress import log_progress
    from components.shared.contracts.stopping import leaving_on_sigterm
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.objects import Objects
    from components.shared.store.postgres import connect
    from components.shared.store.registry import Registry

    policy = policy_from(os.environ)
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    with closing(connect(os.environ["DATABASE_URL"])) as connection:
        registry = Registry(connection)
        version = about(registry, dataset, model, run)
        live = served_lately(connection, objects, dataset, policy.rollout)
        fetch = registered(objects, version.model)
        with closing(target_from(os.environ, policy.rollout)) as target, leaving_on_sigterm():
            rollout = deploy(
                registry, target, version, fetch, live, policy.rollout, policy.golden, run=run
            )
    write_rollout_page(rollout, page.path)
    log_progress(rollout.sentence)
    return rollout.model()
