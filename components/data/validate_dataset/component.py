"""Define the Kubeflow component `validate_dataset`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("core"), install_kfp_package=False)
def validate_dataset(
    snapshot: dsl.Input[dsl.Dataset],
    page: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> str:
    """Validate every image and box of a snapshot before training.

    Args:
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`.
        page: Errors, warnings, sample images and distributions, also if not valid.
        metrics: Numbers of images, boxes, errors and warnings.

    Returns:
        `ok` or `warn`; a snapshot that is not valid is refused.
    """
    import os

    from components.data.validate_dataset.validate import validate
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.objects import Objects

    objects = Objects(os.environ["OBJECT_STORE_URL"])
    found = validate(snapshot.path, objects, page.path, policy_from(os.environ))
    for name, value in found.numbers.items():
        metrics.log_metric(name, value)
    return found.word
