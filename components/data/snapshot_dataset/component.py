"""Define the Kubeflow component `snapshot_dataset`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def snapshot_dataset(
    dataset: str, snapshot: dsl.Output[dsl.Dataset], grow_test: bool = False
) -> str:
    """Freeze all labelled images of a dataset; the same labels give the same snapshot.

    Args:
        dataset: Name of the dataset.
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`.
        grow_test: Whether groups that no snapshot has seen may enter the test set.

    Returns:
        The snapshot's id.
    """
    import os
    from contextlib import closing

    from components.data.snapshot_dataset.freeze import freeze
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.objects import Objects
    from components.shared.store.postgres import connect

    objects = Objects(os.environ["OBJECT_STORE_URL"])
    with closing(connect(os.environ["DATABASE_URL"])) as connection:
        info = freeze(
            connection, objects, dataset, snapshot.path,
            grow_test=grow_test, policy=policy_from(os.environ).split,
        )  # fmt: skip
    snapshot.metadata.update(id=info.id, dataset=dataset, **info.images)
    return info.id
