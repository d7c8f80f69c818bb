"""Configure TensorFlow's threads and device of a worker, and its distribution strategy."""

import tensorflow as tf

from components.shared.contracts.errors import UserError

WAYS = ("ring", "nccl", "auto")

# What the others' disappearance looks like from a worker that waits for their part of a sum.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


def use_threads(count: int) -> None:
    """Set TensorFlow's number of threads, before its first operation.

    They bound its operations at once, too: two that share a core only push each other out of its
    caches, and a worker's second one takes the core that another worker counts on.

    Args:
        count: At least 1.
    """
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)


def strategy_for(index: int, workers: int, communication: str) -> tf.distribute.Strategy:
    """Return the distribution strategy of a worker with one device.

    Args:
        index: Our number.
        workers: How many we are; TF_CONFIG in the environment says where.
        communication: `ring`, or `nccl` where every worker has a GPU of its own, or `auto`;
            sums on processors go around a ring in any case.

    Raises:
        UserError: If there is no such communication.
    """
    if communication not in WAYS:
        raise UserError(f"communication is {communication!r}, expected one of {', '.join(WAYS)}")
    device = _claim(tf.config.list_physical_devices("GPU"), index)
    if workers == 1:
        return tf.distribute.OneDeviceStrategy(device)
    ways = tf.distribute.experimental.CommunicationImplementation
    options = tf.distribute.experimental.CommunicationOptions(
        implementation=ways[communication.upper()]
    )
    return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)


def _claim(gpus: list[tf.config.PhysicalDevice], index: int) -> str:
    if not gpus:
        return "/cpu:0"
    mine = gpus[index % len(gpus)]
    tf.config.set_visible_devices(mine, "GPU")
    tf.config.experimental.set_memory_growth(mine, True)
    return "/gpu:0"
