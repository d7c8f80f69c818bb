"""Kubeflow component `fetch_model`: download a registered model from the object store."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def fetch_model(
    dataset: str,
    fetched: dsl.Output[dsl.Model],
    model: str = "champion",
    must_be_whole: bool = False,
) -> str:
    """Fetch a registered model from the object store; without a champion, give the reason.

    Args:
        dataset: Name of the dataset.
        fetched: Laid out as `contracts.model.RegisteredLayout`, or absent.
        model: Digest of its package, or an alias: `champion`, `challenger` or `previous`.
        must_be_whole: Whether a damaged champion is an error instead of an absent model.

    Returns:
        The digest of its package, or an empty string.
    """
    import os
    from contextlib import closing

    from components.promotion.fetch_model.fetch import fetch
    from components.shared.store.objects import Objects
    from components.shared.store.postgres import connect
    from components.shared.store.registry import Registry

    objects, path = Objects(os.environ["OBJECT_STORE_URL"]), fetched.path
    with closing(connect(os.environ["DATABASE_URL"])) as connection:
        found = fetch(
            Registry(connection), objects, dataset, model, path, must_be_whole=must_be_whole
        )
    return found.model if found else ""
