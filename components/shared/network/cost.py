"""Count the parameters and FLOPs of a network."""

from typing import NamedTuple

import keras
import numpy as np


class Cost(NamedTuple):
    """Parameters and FLOPs of one network at one image size."""

    parameters: int
    gflops: float  # of one image; a multiplication and an addition count as two


def cost_of(model: keras.Model) -> Cost:
    """Count the weights of a network, and the operations of its convolutions.

    Everything else that it does is less than a hundredth of that.
    """
    operations = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            _, rows, columns, _ = layer.output.shape
            operations += 2 * rows * columns * int(np.prod(layer.kernel.shape))
    return Cost(model.count_params(), operations / 1e9)
