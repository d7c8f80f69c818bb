"""`deploy_model` as Kubeflow runs it."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("deployer"), install_kfp_package=False)
def deploy_model(
    dataset: str,
    model: str,
    page: dsl.Output[dsl.Markdown],
    endpoint: str = "",
    target: str = "server",
) -> str:
    """Put a registered model in service, prove it on known pictures, and promote it.

    Args:
        dataset: Whose model it is.
        model: Digest of its package, or the alias `challenger` or `previous`.
        page: What was answered before and after, for people.
        endpoint: Where the server listens; otherwise DETECTOR_URL says.
        target: `server`: a running server that loads from MODEL_ROOT.

    Returns:
        The digest of the model that serves.
    """
    import os
    from contextlib import closing
    from functools import partial
    from pathlib import Path

    from components.contracts.model import RegisteredLayout
    from components.contracts.progress import say
    from components.deploy_model.deploy import deploy
    from components.deploy_model.targets import target_named
    from components.store.objects import Objects
    from components.store.postgres import connect
    from components.store.registry import Registry

    url = endpoint or os.environ["DETECTOR_URL"]
    place = target_named(target, url, os.environ["MODEL_ROOT"])
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    with closing(connect(os.environ["DATABASE_URL"])) as connection, closing(place):
        registry = Registry(connection)
        version = registry.named(dataset, model)
        package = f"{RegisteredLayout.prefix(version.model)}/package"
        rollout = deploy(registry, place, version, partial(objects.get_folder, package))
    Path(page.path).write_text(rollout.page)
    say(rollout.sentence)
    return version.model
