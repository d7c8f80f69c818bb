"""Collective operations of a group of workers: sum, broadcast from the chief, agreement."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.training.train_detector.learning.all_reduce import sum_over_replicas

Floats = NDArray[np.float32]

VOTES = 2  # that each worker casts with each step: a checkpoint is due, and all must leave
NO_VOTES = np.zeros(VOTES, np.float32)


class WorkerGroup:
    """One worker of a group; every method is a collective that all workers must call.

    Args:
        strategy: How they add up.
        index: Our number; 0 is the chief.
    """

    def __init__(self, strategy: tf.distribute.Strategy, index: int) -> None:
        self.index, self.workers = index, int(strategy.num_replicas_in_sync)
        self._sum = tf.function(
            lambda value: strategy.run(sum_over_replicas, args=(value,)), autograph=False
        )

    def total(self, value: Floats) -> Floats:
        """Return the sum of all workers' values, which must have one shape."""
        if self.workers == 1:
            return value
        return np.asarray(self._sum(tf.constant(value, tf.float32)))

    def broadcast_from_chief(self, value: float) -> float:
        """Return the chief's value, as float32."""
        return float(self.total(np.array([0.0 if self.index else value], np.float32))[0])

    def all_agree(self, one: bool) -> bool:
        """Return whether the value is true in every worker."""
        return int(self.total(np.array([one], np.float32))[0]) == self.workers
