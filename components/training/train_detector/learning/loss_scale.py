"""Dynamic loss scaling for float16, whose gradients underflow below 6e-8."""

from collections.abc import Callable

import tensorflow as tf

from components.shared.network.tensors import Scalar, Variable, Vector

FIRST = 2.0**12  # of a loss that is a sum over the batch
PATIENCE = 2000  # good steps before more is tried


class LossScale:
    """Loss scale that is halved when a gradient overflows, and doubled after many finite ones.

    It starts large: the first steps reduce it to what is possible.

    Source:
        Micikevicius et al., "Mixed Precision Training", ICLR 2018.
    """

    def __init__(self) -> None:
        self.scale = tf.Variable(FIRST, trainable=False)
        self.good = tf.Variable(0.0, trainable=False)

    @property
    def state(self) -> dict[str, Variable]:
        """Return the variables of the loss scale for checkpoints."""
        return {"loss_scale": self.scale, "good_steps": self.good}

    def up(self, loss: Scalar) -> Scalar:
        """Return the scaled loss."""
        return loss * self.scale

    def move(self, gradient: Vector, divisor: Scalar, move: Callable[[Scalar], None]) -> None:
        """Apply `move` if the gradient is finite, and adjust the scale.

        Args:
            gradient: The same for every worker, so all decide alike.
            divisor: What it is to be divided by, but for the scale.
            move: Takes what it is to be divided by, with the scale.
        """

        def go() -> None:
            move(divisor * self.scale)
            more = self.good + 1 >= PATIENCE
            self.scale.assign(tf.where(more, 2 * self.scale, self.scale))
            self.good.assign(tf.where(more, 0.0, self.good + 1))

        def stay() -> None:
            self.scale.assign(tf.maximum(1.0, self.scale / 2))
            self.good.assign(0.0)

        tf.cond(tf.reduce_all(tf.math.is_finite(gradient)), go, stay)
