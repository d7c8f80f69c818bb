"""A learner is one worker's network and the steps it takes together with the others.

All weights that are trained stand in one flat vector, so that workers exchange a single
tensor, and what moves the weights is a few whole-vector operations. Every worker makes
the same move from the same sum, so weights never part; only the statistics of
normalisation do, and `settle` averages those before anything is measured.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras  # type: ignore[import-untyped]
import numpy as np
import tensorflow as tf  # type: ignore[import-untyped]
from numpy.typing import NDArray

from components.detector.decode import anchor_points
from components.detector.loss import detection_loss
from components.train_detector.batches import Batch

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
WEIGHT_DECAY = 0.05  # of kernels, times the learning rate
MOST_NORM = 10.0  # longest gradient
PARTS = 4  # sums that travel behind the gradient: three losses and their weight


class Learner:
    """Trains one network, alone or with others.

    Args:
        model: The network; it must lie in this process alone.
        strategy: How workers add up. Each has one replica.
        horizon: Steps over which the averaged weights look back.

    Raises:
        ValueError: If a worker drives more than one device: start a worker for each.

    Source:
        Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019;
        Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.
    """

    def __init__(self, model: keras.Model, strategy: tf.distribute.Strategy, horizon: float):
        """Take over the network's weights."""
        if len(strategy.extended.worker_devices) != 1:
            raise ValueError(f"worker has devices {strategy.extended.worker_devices}, expected one")
        self.model, self.strategy = model, strategy
        self.horizon = horizon
        self.trained = model.trainable_variables
        self.others = model.non_trainable_variables
        self.weights = tf.Variable(_flat(self.trained), trainable=False)
        self.moments = [tf.Variable(tf.zeros_like(self.weights), trainable=False) for _ in "12"]
        self.averaged = tf.Variable(_flat([*self.trained, *self.others]), trainable=False)
        decays = [np.full(w.shape, len(w.shape) > 1, np.float32).ravel() for w in self.trained]
        self.decay = tf.constant(WEIGHT_DECAY * np.concatenate(decays))
        self.centres, self.strides = map(tf.constant, anchor_points(*model.input_shape[1:3]))
        self._total = tf.function(lambda: strategy.run(self._sum_averaged), autograph=False)
        # One graph for any number of boxes.
        image, box = (None, *model.input_shape[1:]), (None, None, 4)
        self._graph = tf.function(
            lambda *inputs: strategy.run(self._step, args=inputs),
            autograph=False,
            input_signature=[
                tf.TensorSpec(image, tf.uint8),
                tf.TensorSpec(box, tf.float32),
                tf.TensorSpec(box[:2], tf.int32),
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((), tf.float32),
            ],
        )

    def step(self, batch: Batch, rate: float, number: int) -> NDArray[np.float32]:
        """Learn from one batch, of which every worker has its share.

        Args:
            batch: Of this worker.
            rate: Learning rate.
            number: Steps taken before, from 0.

        Returns:
            The losses of class, box and distances over all workers.
        """
        return np.asarray(self._graph(*batch, np.float32(rate), np.float32(number)))

    def settle(self) -> None:
        """Make averaged weights the same everywhere: the mean over workers."""
        self.averaged.assign(self._total() / self.strategy.num_replicas_in_sync)

    @contextmanager
    def averaged_weights(self) -> Iterator[list[NDArray[np.float32]]]:
        """Let the network have the averaged weights for a while; they are also returned."""
        statistics = [variable.numpy() for variable in self.others]
        self._fill([*self.trained, *self.others], self.averaged)
        yield list(self.model.get_weights())
        self._fill(self.trained, self.weights)
        for variable, value in zip(self.others, statistics, strict=True):
            variable.assign(value)

    def _step(self, images: Any, boxes: Any, classes: Any, rate: Any, number: Any) -> Any:
        with tf.GradientTape() as tape:
            said = self.model(tf.cast(images, tf.float32) / 255, training=True)
            loss = detection_loss(said, self.centres, self.strides, boxes, classes)
            total = loss.total
        gradient = _flat(tape.gradient(total, self.trained))
        summed = _sum_over_replicas(tf.concat([gradient, tf.stack(loss)], axis=0))
        weight = tf.maximum(summed[-1], 1.0)
        self._move(summed[:-PARTS] / weight, rate, number)
        self._average(number)
        return summed[-PARTS:-1] / weight

    def _sum_averaged(self) -> Any:
        return _sum_over_replicas(tf.identity(self.averaged))

    def _move(self, gradient: Any, rate: Any, number: Any) -> None:
        """Take one step of AdamW, after every worker's gradient is in."""
        gradient *= tf.minimum(1.0, MOST_NORM / (tf.norm(gradient) + EPSILON))
        first, second = self.moments
        first.assign(BETA_1 * first + (1 - BETA_1) * gradient)
        second.assign(BETA_2 * second + (1 - BETA_2) * gradient**2)
        drift = first / (1 - BETA_1 ** (number + 1))
        spread = tf.sqrt(second / (1 - BETA_2 ** (number + 1))) + EPSILON
        self.weights.assign(self.weights - rate * (drift / spread + self.decay * self.weights))
        self._fill(self.trained, self.weights)

    def _average(self, number: Any) -> None:
        share = tf.maximum(1 / self.horizon, 9 / (10 + number))
        now = tf.concat([self.weights, _flat(self.others)], axis=0)
        self.averaged.assign_add(share * (now - self.averaged))

    def _fill(self, variables: list[Any], flat: Any) -> None:
        sizes = [int(np.prod(variable.shape)) for variable in variables]
        for variable, part in zip(variables, tf.split(flat, sizes), strict=True):
            variable.assign(tf.reshape(part, variable.shape))


def _flat(tensors: Any) -> Any:
    return tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)


def _sum_over_replicas(value: Any) -> Any:
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)
