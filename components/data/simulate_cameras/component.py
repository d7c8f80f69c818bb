"""Define the Kubeflow component `simulate_cameras`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def simulate_cameras(
    dataset: str = "car-parks",
    frames: int = 600,
    cameras: int = 8,
    days: int = 3,
    first_day: str = "2026-01-05",
    conditions: str = "day,dusk",
    seed: int = 0,
    labelled: bool = True,
    endpoint: str = "",
) -> int:
    """Draw traffic scenes as cameras would see them, and send them as cameras do.

    Args:
        dataset: Which dataset they belong to.
        frames: How many, of all cameras and days together.
        cameras: How many cameras; each looks at a place of its own.
        days: How many days they look.
        first_day: The first of them, as an ISO 8601 date. The same day is drawn the same.
        conditions: A comma list of day, dusk, night, rain and night-rain; one for each frame.
        seed: Decides the places: another seed is another town.
        labelled: Whether the boxes of the cars are sent too.
        endpoint: Address of a detector's server that each frame is sent to; none if empty.

    Returns:
        How many frames were sent.
    """
    import os

    from components.data.simulate_cameras.simulate import SimulatorConfig, simulate
    from components.shared.contracts.progress import log_progress
    from components.shared.store.frames import FrameSender
    from components.shared.store.objects import Objects

    config = SimulatorConfig.of(frames, cameras, days, first_day, conditions, seed, labelled)
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    stream = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    who = {"source": "/simulate_cameras", "labelled_by": "simulator", "tool": "simulate_cameras"}
    with FrameSender.connect(objects, stream, dataset=dataset, endpoint=endpoint, **who) as sender:
        boxes = simulate(config, sender)
    cars = f"{boxes:,} cars labelled" if labelled else "no labels"
    time = f"{days} day{'s' * (days != 1)}, conditions {conditions.replace(',', ', ')}"
    log_progress(f"{frames:,} frames sent, {cars}: {cameras} cameras, {time}")
    return frames
