"""KFP component `extract_window`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def extract_window(dataset: str, window: dsl.Output[dsl.Dataset]) -> int:
    """Extract the window of frames that the champion served since the last decision.

    Args:
        dataset: Name of the dataset.
        window: Laid out as `contracts.snapshot.WindowLayout`; empty if nothing was served.

    Returns:
        Number of frames of the window.
    """
    import os
    from contextlib import closing

    from components.monitoring.extract_window.extract import extract
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.objects import Objects
    from components.shared.store.postgres import connect

    most = policy_from(os.environ).window.max_frames
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    with closing(connect(os.environ["DATABASE_URL"])) as connection:
        return extract(connection, objects, dataset, window.path, max_frames=most).frames
