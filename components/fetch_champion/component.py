"""`fetch_champion` as Kubeflow runs it."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def fetch_champion(dataset: str, champion: dsl.Output[dsl.Model]) -> str:
    """Bring the model in service, or the reason why there is none.

    Args:
        dataset: Name of the dataset whose champion it is.
        champion: Laid out as `contracts.model.RegisteredLayout`, or absent.

    Returns:
        The digest of its package, or an empty string.
    """
    import os

    from components.fetch_champion.fetch import fetch
    from components.store.objects import Objects
    from components.store.registry import Registry

    registry = Registry.open(os.environ["DATABASE_URL"])
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    found = fetch(registry, objects, dataset, champion.path)
    return found.model if found else ""
