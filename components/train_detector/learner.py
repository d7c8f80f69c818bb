"""A learner is one worker's network and the steps it takes together with the others.

Workers exchange one flat tensor a step: the gradient, the sums behind it, and their votes. Every
worker makes the same move from the same sum, so weights never part; only the statistics of
normalisation do, and `settle` averages those before anything is measured.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras  # type: ignore[import-untyped]
import numpy as np
import tensorflow as tf  # type: ignore[import-untyped]
from numpy.typing import ArrayLike, NDArray

from components.contracts.refusal import Refusal
from components.detector.decode import anchor_points
from components.detector.loss import detection_loss
from components.train_detector.batches import Batch
from components.train_detector.gang import NO_VOTES, VOTES, Floats
from components.train_detector.light import NUMBERS, lit
from components.train_detector.optimiser import AdamW, fill, flat, share_of
from components.train_detector.scale import LossScale
from components.train_detector.settings import Settings
from components.train_detector.wire import Wire, sum_over_replicas

SUMS = 4  # that travel behind the gradient: three losses and their weight


class Learner:
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
        settings: Settings,
    ) -> None:
        """Take over the network's weights."""
        if len(strategy.extended.worker_devices) != 1:
            raise ValueError(f"worker has devices {strategy.extended.worker_devices}, expected one")
        self.model, self.strategy = model, strategy
        self.parts, self.horizon = settings.accumulate, horizon
        self.weights = AdamW(model.trainable_variables, settings.weight_decay, horizon)
        self.statistics = model.non_trainable_variables
        self.averaged = tf.Variable(flat(self.statistics), trainable=False)
        self.scale = LossScale() if settings.precision == "float16" else None
        self.wire = Wire(strategy, settings.gradient_precision, SUMS + VOTES)
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
        """Learn from one batch, of which every worker has its share.

        Args:
            batch: Of this worker.
            rate: Learning rate.
            number: Steps taken before, from 0.
            votes: Of this worker.

        Returns:
            The losses of class, box and distances over all workers, and the sums of their votes.

        Raises:
            Refusal: If the batch has fewer images than the parts it should be taken in.
        """
        if len(batch.images) < self.parts:
            raise Refusal(
                f"accumulate is {self.parts}, expected at most the {len(batch.images)} images "
                "that a worker has of a batch"
            )
        told = self._graph(*batch, np.float32(rate), np.float32(number), votes)
        losses, votes = map(np.asarray, told)
        return losses, votes

    def settle(self) -> None:
        """Make averaged statistics the same everywhere: the mean over workers."""
        self.averaged.assign(self._total() / self.strategy.num_replicas_in_sync)

    @contextmanager
    def averaged_weights(self) -> Iterator[list[NDArray[np.float32]]]:
        """Let the network have the averaged weights for a while; they are also returned."""
        statistics = flat(self.statistics)
        fill(self.weights.variables, self.weights.averaged)
        fill(self.statistics, self.averaged)
        yield list(self.model.get_weights())
        fill(self.weights.variables, self.weights.weights)
        fill(self.statistics, statistics)

    def state(self) -> dict[str, ArrayLike]:
        """Return all that the next step depends on, by name, as what it is when it is read."""
        return {**self._variables(), "statistics": flat(self.statistics)}

    def load(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go back to where `state` was taken, of a network of the same kind."""
        for name, variable in self._variables().items():
            variable.assign(state[name])
        fill(self.weights.variables, self.weights.weights)
        fill(self.statistics, tf.constant(state["statistics"]))

    def _variables(self) -> dict[str, Any]:
        scale = self.scale.state if self.scale else {}
        return {**self.weights.state, **scale, "averaged_statistics": self.averaged}

    def _step(self, *inputs: Any) -> Any:
        *batch, rate, number, votes = inputs
        before = flat(self.statistics) if self.scale else None
        gradient, told = self.wire.total(self._look(batch, votes))
        sums, votes = told[:SUMS], told[SUMS:]
        weight = tf.maximum(sums[-1], 1.0)
        gradient /= weight

        def move(gradient: Any) -> None:
            self.weights.move(gradient, rate, number)
            now = flat(self.statistics)
            self.averaged.assign_add(share_of(self.horizon, number) * (now - self.averaged))

        if self.scale:
            self.scale.move(gradient, move, lambda: fill(self.statistics, before))
        else:
            move(gradient)
        return sums[:-1] / weight, votes

    def _look(self, batch: list[Any], votes: Any) -> Any:
        """Return the gradient and the sums over a worker's share, part by part, and its votes."""
        if self.parts == 1:
            return self._look_at(batch, votes)
        count = tf.shape(batch[0])[0]

        def add(part: Any, total: Any) -> Any:
            mine = slice(count * part // self.parts, count * (part + 1) // self.parts)
            once = tf.where(part == 0, votes, 0.0)
            return part + 1, total + self._look_at([tensor[mine] for tensor in batch], once)

        empty = tf.zeros(self.weights.weights.shape[0] + SUMS + VOTES)
        _, total = tf.while_loop(
            lambda part, _: part < self.parts, add, (0, empty), parallel_iterations=1
        )
        return total

    def _look_at(self, batch: list[Any], votes: Any) -> Any:
        images, lights, boxes, classes = batch
        seen = lit(images, lights)
        with tf.GradientTape() as tape:
            said = self.model(seen, training=True)
            loss = detection_loss(said, self.centres, self.strides, boxes, classes)
            total = self.scale.up(loss.total) if self.scale else loss.total
        return flat([*tape.gradient(total, self.weights.variables), tf.stack(loss), votes])
