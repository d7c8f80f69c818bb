"""Training step of one worker: forward, loss, gradient accumulation, all-reduce and update.

Workers exchange one flat tensor a step: the gradient, the sums of the loss, and their votes.
Every worker applies the same update to the same weights; only the statistics of batch
normalisation differ, and `sync_batch_norm` averages those before validation.

Within a step the network is a function of two flat vectors, trainable and non-trainable; the
variables of the Keras model are set only before it is evaluated or saved.
"""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.shared.contracts.errors import UserError
from components.shared.network.decode import anchor_points
from components.shared.network.loss import detection_loss
from components.shared.network.tensors import Images, Outputs, Scalar, Tensor, Vector
from components.training.train_detector.data.color_jitter import NUMBERS, apply_color_jitter
from components.training.train_detector.data.sampler import Batch
from components.training.train_detector.learning.adamw import AdamW, share_of
from components.training.train_detector.learning.all_reduce import (
    GradientAllReduce,
    sum_over_replicas,
)
from components.training.train_detector.learning.flatten import fill, flat, parts_of
from components.training.train_detector.learning.loss_scale import LossScale
from components.training.train_detector.learning.worker_group import NO_VOTES, VOTES, Floats
from components.training.train_detector.plan.settings import TrainingSettings

SUMS = 4  # that travel behind the gradient: three losses and their weight


class Trainer:
    """Trains one network, alone or with others.

    Args:
        model: The network; it must lie in this process alone.
        strategy: How workers add up. Each has one replica.
        horizon: Steps over which the averaged weights look back.
        settings: Its `weight_decay`; its `accumulate`, in how many parts, one after the other,
            a worker's share of a batch is looked at; its `precision`, that of the model; its
            `gradient_precision`, in which gradients travel between workers.

    Raises:
        ValueError: If a worker drives more than one device: start a worker for each.

    Source:
        Micikevicius et al., "Mixed Precision Training", ICLR 2018.
    """

    def __init__(
        self,
        model: keras.Model,
        strategy: tf.distribute.Strategy,
        horizon: float,
        settings: TrainingSettings,
    ) -> None:
        if len(strategy.extended.worker_devices) != 1:
            raise ValueError(f"worker has devices {strategy.extended.worker_devices}, expected one")
        self.model, self.strategy = model, strategy
        self.parts, self.horizon = settings.accumulate, horizon
        self.adam = AdamW(model.trainable_variables, settings.weight_decay, horizon)
        self.learned, self.counted = self.adam.variables, list(model.non_trainable_variables)
        self.statistics = tf.Variable(flat(self.counted), trainable=False)
        self.averaged = tf.Variable(self.statistics, trainable=False)
        self.scale = LossScale() if settings.precision == "float16" else None
        self.all_reduce = GradientAllReduce(strategy, settings.gradient_precision, SUMS + VOTES)
        self.centres, self.strides = map(tf.constant, anchor_points(*model.input_shape[1:3]))
        self._total = tf.function(
            lambda: strategy.run(lambda: sum_over_replicas(self.averaged)), autograph=False
        )
        # One graph for any number of boxes.
        image, box = (None, *model.input_shape[1:]), (None, None, 4)
        self._graph = tf.function(
            lambda *inputs: strategy.run(self._step, args=inputs),
            autograph=False,
            input_signature=[
                tf.TensorSpec(image, tf.uint8),
                tf.TensorSpec((None, NUMBERS), tf.float32),
                tf.TensorSpec(box, tf.float32),
                tf.TensorSpec(box[:2], tf.int32),
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((VOTES,), tf.float32),
            ],
        )

    def step(
        self, batch: Batch, rate: float, number: int, votes: Floats = NO_VOTES
    ) -> tuple[Floats, Floats]:
        """Train on one batch, of which every worker has its share.

        Args:
            batch: Batch of this worker.
            rate: Learning rate.
            number: Steps taken before, from 0.
            votes: Votes of this worker, `[VOTES]`, 0 or 1.

        Returns:
            The losses of class, box and distances over all workers, and the sums of their votes.

        Raises:
            UserError: If the batch has fewer images than the parts it should be taken in.
        """
        if len(batch.images) < self.parts:
            raise UserError(
                f"accumulate is {self.parts}, expected at most the {len(batch.images)} images "
                "that a worker has of a batch"
            )
        outputs = self._graph(*batch, np.float32(rate), np.float32(number), votes)
        losses, votes = map(np.asarray, outputs)
        return losses, votes

    def sync_batch_norm(self) -> None:
        """Average the EMA of batch normalisation statistics over all workers."""
        self.averaged.assign(self._total() / self.strategy.num_replicas_in_sync)

    def use_ema_weights(self) -> list[NDArray[np.float32]]:
        """Set the network's variables to the EMA weights and statistics, and return all."""
        fill(self.learned, self.adam.averaged)
        fill(self.counted, self.averaged)
        return list(self.model.get_weights())

    def state(self) -> dict[str, tf.Variable]:
        """Return all variables that the next step depends on, by name."""
        return {
            **self.adam.state,
            **(self.scale.state if self.scale else {}),
            "statistics": self.statistics,
            "averaged_statistics": self.averaged,
        }

    def load(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Restore variables that `state` returned for a network of the same kind."""
        for name, variable in self.state().items():
            variable.assign(state[name])

    def _step(self, *inputs: Tensor) -> tuple[Vector, Vector]:
        *batch, rate, number, votes = inputs
        mine, statistics = self._accumulate(batch, votes)
        gradient, rest = self.all_reduce.total(mine)
        sums, votes = rest[:SUMS], rest[SUMS:]
        weight = tf.maximum(sums[-1], 1.0)

        def move(divisor: Scalar) -> None:
            self.adam.move(gradient, divisor, rate, number)
            self.statistics.assign(statistics)
            self.averaged.assign_add(share_of(self.horizon, number) * (statistics - self.averaged))

        if self.scale:
            self.scale.move(gradient, weight, move)
        else:
            move(weight)
        return sums[:-1] / weight, votes

    def _accumulate(self, batch: list[Tensor], votes: Vector) -> tuple[Vector, Vector]:
        """Accumulate the gradient of a worker's share, part by part.

        Returns:
            The gradient and the sums over it, with its votes behind, and statistics after it.
        """
        weights = parts_of(self.adam.weights, self.learned)
        statistics = tf.convert_to_tensor(self.statistics)
        if self.parts == 1:
            return self._gradients(batch, votes, weights, statistics)
        count = tf.shape(batch[0])[0]

        def add(part: Scalar, total: Vector, statistics: Vector) -> tuple[Scalar, Vector, Vector]:
            mine = slice(count * part // self.parts, count * (part + 1) // self.parts)
            once = tf.where(part == 0, votes, 0.0)
            share = [tensor[mine] for tensor in batch]
            more, statistics = self._gradients(share, once, weights, statistics)
            return part + 1, total + more, statistics

        empty = tf.zeros(self.adam.weights.shape[0] + SUMS + VOTES)
        _, total, statistics = tf.while_loop(
            lambda part, *_: part < self.parts, add, (0, empty, statistics), parallel_iterations=1
        )
        return total, statistics

    def _gradients(
        self, batch: list[Tensor], votes: Vector, weights: list[Tensor], statistics: Vector
    ) -> tuple[Vector, Vector]:
        images, jitters, boxes, classes = batch
        seen = apply_color_jitter(images, jitters)
        with tf.GradientTape() as tape:
            tape.watch(weights)
            outputs, after = self._forward(seen, weights, statistics)
            loss = detection_loss(outputs, self.centres, self.strides, boxes, classes)
            total = self.scale.up(loss.total) if self.scale else loss.total
        return flat([*tape.gradient(total, weights), tf.stack(loss), votes]), after

    def _forward(
        self, seen: Images, weights: list[Tensor], statistics: Vector
    ) -> tuple[Outputs, Vector]:
        """Return the network's outputs, and statistics after them; its variables do not change."""
        values = [*weights, *parts_of(statistics, self.counted)]
        named = zip([*self.learned, *self.counted], values, strict=True)
        with keras.StatelessScope(named) as scope:
            outputs = self.model(seen, training=True)
        return outputs, flat([scope.get_current_value(variable) for variable in self.counted])
