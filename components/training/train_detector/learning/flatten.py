"""Flatten tensors to one vector and back."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from components.shared.network.tensors import Tensor, Variable, Vector


def flat(tensors: Sequence[Tensor]) -> Vector:
    """Return the values of tensors one after the other, `[N]`."""
    return tf.concat([_shaped(tensor, [-1]) for tensor in tensors], axis=0)


def parts_of(values: Vector, like: Sequence[Tensor]) -> list[Tensor]:
    """Return the tensors that `flat` joined.

    Args:
        values: The vector.
        like: Tensors of their shapes.
    """
    parts = tf.split(values, [int(np.prod(other.shape)) for other in like])
    return [_shaped(part, other.shape) for part, other in zip(parts, like, strict=True)]


def fill(variables: Sequence[Variable], values: Vector) -> None:
    """Set variables to the values of one flat vector.

    Args:
        variables: Variables in the order of `flat`.
        values: `[N]`, all their values.
    """
    for variable, part in zip(variables, parts_of(values, variables), strict=True):
        variable.assign(part)


def _shaped(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    # Most are vectors, and each needless operation of a graph delays its first step.
    return tensor if len(shape) == len(tensor.shape) == 1 else tf.reshape(tensor, shape)
