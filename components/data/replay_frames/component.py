"""Define the Kubeflow component `replay_frames`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def replay_frames(
    dataset: str,
    snapshot: dsl.Input[dsl.Dataset],
    condition: str = "same",
    frames: int = 60,
    seed: int = 0,
    endpoint: str = "",
) -> int:
    """Stand in for live cameras: show held-out photographs in a mirror, if asked in bad weather.

    Args:
        dataset: Which dataset the frames belong to.
        snapshot: Whose validation and test images are shown.
        condition: same, night, rain or night-rain.
        frames: At most this many.
        seed: Decides which images; another seed shows others.
        endpoint: Address of a detector's server that each frame is sent to; none if empty.

    Returns:
        How many frames were sent.
    """
    import os

    from components.data.replay_frames.replay import replay
    from components.shared.contracts.progress import log_progress
    from components.shared.store.frames import FrameSender
    from components.shared.store.objects import Objects
    from components.shared.store.snapshots import SnapshotReader

    objects = Objects(os.environ["OBJECT_STORE_URL"])
    stream = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    reader = SnapshotReader(snapshot.path, objects)
    who = {"source": "/replay_frames", "labelled_by": "", "tool": "replay_frames"}
    with FrameSender.connect(objects, stream, dataset=dataset, endpoint=endpoint, **who) as sender:
        sent = replay(reader, sender, condition=condition, frames=frames, seed=seed)
    log_progress(f"{sent:,} held-out images sent, mirrored, conditions {condition}")
    return sent
