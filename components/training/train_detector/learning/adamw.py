"""AdamW with an exponential moving average (EMA) of the weights, on one flat vector."""

import numpy as np
import tensorflow as tf

from components.shared.network.tensors import Scalar, Variable, Vector
from components.training.train_detector.learning.flatten import flat

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
MAX_GRADIENT_NORM = 10.0  # longest gradient


class AdamW:
    """AdamW optimiser with gradient clipping, which keeps an EMA of the weights.

    Args:
        variables: A network's trained variables. The vector begins at their values, and they
            do not follow it.
        weight_decay: Of kernels, times the learning rate.
        horizon: Steps over which the average looks back.

    Source:
        Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019;
        Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.
    """

    def __init__(self, variables: list[Variable], weight_decay: float, horizon: float) -> None:
        # Kernels first, so that a place in the vector says whether it decays.
        self.variables = sorted(variables, key=lambda variable: len(variable.shape) == 1)
        kernels = sum(int(np.prod(v.shape)) for v in variables if len(v.shape) > 1)
        self.weights = tf.Variable(flat(self.variables), trainable=False)
        self.averaged = tf.Variable(self.weights, trainable=False)
        self.first, self.second = (
            tf.Variable(tf.zeros_like(self.weights), trainable=False) for _ in range(2)
        )
        self.kernels, self.decay, self.horizon = kernels, weight_decay, horizon
        self._move = tf.function(self._one_pass, jit_compile=True, autograph=False)

    @property
    def state(self) -> dict[str, Variable]:
        """Return the variables of the optimiser for checkpoints."""
        return {
            "weights": self.weights,
            "first_moment": self.first,
            "second_moment": self.second,
            "averaged_weights": self.averaged,
        }

    def move(self, gradient: Vector, divisor: Scalar, rate: Scalar, number: Scalar) -> None:
        """Apply one update.

        Args:
            gradient: `[weights]`, a sum.
            divisor: Makes it a mean, which is cut to a length of `MAX_GRADIENT_NORM`.
            rate: Learning rate.
            number: Steps taken before, from 0.
        """
        length = tf.sqrt(2 * tf.nn.l2_loss(gradient)) / divisor
        share = tf.minimum(1.0, MAX_GRADIENT_NORM / (length + EPSILON)) / divisor
        self._move(gradient, share, rate, number)

    def _one_pass(self, gradient: Vector, share: Scalar, rate: Scalar, number: Scalar) -> None:
        gradient *= share
        first = BETA_1 * self.first + (1 - BETA_1) * gradient
        second = BETA_2 * self.second + (1 - BETA_2) * gradient**2
        drift = first / (1 - BETA_1 ** (number + 1))
        spread = tf.sqrt(second / (1 - BETA_2 ** (number + 1))) + EPSILON
        decay = tf.where(tf.range(gradient.shape[0]) < self.kernels, self.decay, 0.0)
        weights = self.weights - rate * (drift / spread + decay * self.weights)
        self.averaged.assign_add(share_of(self.horizon, number) * (weights - self.averaged))
        self.first.assign(first)
        self.second.assign(second)
        self.weights.assign(weights)


def share_of(horizon: float, number: Scalar) -> Scalar:
    """Return the weight of the newest value in the EMA, which begins as a plain mean.

    Args:
        horizon: Steps over which the EMA looks back.
        number: Steps taken before, from 0.
    """
    return tf.maximum(1 / horizon, 9 / (10 + number))
