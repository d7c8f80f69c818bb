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
    """Replay held-out images as live frames: mirrored, and darkened or rained on if wanted.

    Args:
        dataset: Name of the dataset of the frames.
        snapshot: The snapshot whose validation and test images are sent.
        condition: same, night, rain or night-rain.
        frames: Maximum number of frames.
        seed: Seed of the choice of images.
        endpoint: URL of the detector server that gets each frame; empty: none.

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
