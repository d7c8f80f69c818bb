"""All-reduce of gradients in bfloat16, and of losses and votes exactly, in one collective.

Rounding below the noise of a gradient loses nothing; half as many bytes take little more than
half of the time, even between two processes.
"""

import tensorflow as tf

from components.shared.network.tensors import Scalar, Tensor, Vector

BYTES = 4  # of a float32


class GradientAllReduce:
    """Sums gradients, in a reduced precision, and a few numbers exactly, over all workers.

    Args:
        strategy: How workers add up. Each has one replica.
        precision: Of the gradient on its way; a worker that is alone sends nothing. It must reach
            as far as float32 does, for a gradient may be scaled up.
        numbers: How many there are behind the gradient.

    Source:
        Seide et al., "1-Bit Stochastic Gradient Descent", Interspeech 2014, began to send
        gradients in few bits; Kalamkar et al., "A Study of BFLOAT16 for Deep Learning
        Training", 2019, found that bfloat16's eight significant ones suffice.
    """

    def __init__(self, strategy: tf.distribute.Strategy, precision: str, numbers: int) -> None:
        self.workers, self.numbers = strategy.num_replicas_in_sync, numbers
        self.precision = tf.as_dtype(precision if self.workers > 1 else "float32")

    def total(self, mine: Vector) -> tuple[Vector, Vector]:
        """Return the sums of gradients and of numbers, float32, the same in every worker.

        Args:
            mine: This worker's gradient with its numbers behind, `[gradient + numbers]`.
        """
        if self.precision == mine.dtype:
            total = sum_over_replicas(mine)
            return total[: -self.numbers], total[-self.numbers :]
        place = tf.distribute.get_replica_context().replica_id_in_sync_group
        spelled = encode_exact(mine[-self.numbers :], place, self.workers, self.precision)
        gradient = tf.cast(mine[: -self.numbers], self.precision)
        total = sum_over_replicas(tf.concat([gradient, spelled], axis=0))
        size = gradient.shape[0]
        return tf.cast(total[:size], tf.float32), decode_exact(total[size:], self.workers)


def sum_over_replicas(value: Tensor) -> Tensor:
    """Return the sum over workers, called within a replica."""
    here = tf.identity(value)  # what comes in may lie on no device yet
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, here)


def encode_exact(numbers: Vector, place: Scalar, workers: int, precision: tf.DType) -> Vector:
    """Encode numbers as bytes at a worker's own place among zeros, so that their sum is exact.

    Args:
        numbers: `[N]`, float32.
        place: The worker's, from 0.
        workers: Number of workers.
        precision: A type in which 255 is exact.

    Returns:
        `[workers * N * 4]`
    """
    encoded = tf.cast(tf.reshape(tf.bitcast(numbers, tf.uint8), [1, -1]), precision)
    return tf.reshape(tf.one_hot(place, workers, dtype=precision)[:, None] * encoded, [-1])


def decode_exact(spelled: Vector, workers: int) -> Vector:
    """Return the sum `[N]` over workers from the sum of their encoded numbers.

    Args:
        spelled: Sum over workers of what `encode_exact` returned.
        workers: Number of workers.
    """
    decoded = tf.reshape(tf.cast(spelled, tf.uint8), [workers, -1, BYTES])
    return tf.reduce_sum(tf.bitcast(decoded, tf.float32), axis=0)
