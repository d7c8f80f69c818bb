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
    """Simulate traffic cameras: draw scenes and send them as frames.

    Args:
        dataset: Name of the dataset of the frames.
        frames: Number of frames, over all cameras and days.
        cameras: Number of cameras, each with its own place.
        days: Number of days.
        first_day: The first day, an ISO 8601 date; the same day has the same scenes.
        conditions: Comma-separated list of day, dusk, night, rain and night-rain; each frame
            has one of them.
        seed: Seed of the places.
        labelled: Whether the boxes of the cars are sent too.
        endpoint: URL of the detector server that gets each frame; empty: none.

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
