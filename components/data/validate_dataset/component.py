"""Define the Kubeflow component `validate_dataset`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("core"), install_kfp_package=False)
def validate_dataset(
    snapshot: dsl.Input[dsl.Dataset],
    page: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
    min_images: int = 10,
) -> str:
    """Check every image and box of a snapshot before anything learns from them.

    Args:
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`.
        page: Findings, pictures and distributions, written whatever the verdict.
        metrics: Images, boxes and findings, counted.
        min_images: The fewest images a snapshot may have.

    Returns:
        `ok` or `warn`; what must not be learned from is refused.
    """
    import os

    from components.data.validate_dataset.validate import validate
    from components.shared.store.objects import Objects

    objects = Objects(os.environ["OBJECT_STORE_URL"])
    found = validate(snapshot.path, objects, page.path, min_images=min_images)
    for name, value in found.numbers.items():
        metrics.log_metric(name, value)
    return found.word
