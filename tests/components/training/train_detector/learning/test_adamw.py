"""The compiled move is AdamW as the paper writes it, with a gradient that is cut if too long."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.training.train_detector.learning.adamw import EPSILON, MAX_GRADIENT_NORM, AdamW
from components.training.train_detector.learning.flatten import parts_of

RATE, DECAY = 0.01, 0.1


def variables():
    rng = np.random.default_rng(0)
    return [tf.Variable(rng.normal(size=s).astype(np.float32)) for s in [(3,), (2, 4), (5,)]]


def gradients(seed, scale):
    rng = np.random.default_rng(seed)
    return [scale * rng.normal(size=v.shape).astype(np.float32) for v in variables()]


def flat_as(ours, variables, values):
    """Return values of variables one after the other, as the optimiser keeps them."""
    order = [[v is mine for v in variables].index(True) for mine in ours.variables]
    return tf.constant(np.concatenate([values[n].ravel() for n in order]))


def move(ours, gradient, number, weight=1.0):
    ours.move(gradient, *map(tf.constant, (weight, RATE, float(number))))


@pytest.mark.parametrize("scale", [0.1, 100.0])
def test_it_is_what_keras_does(scale):
    mine, theirs = variables(), variables()
    ours = AdamW(mine, DECAY, horizon=10.0)
    adam = keras.optimizers.Adam(RATE, epsilon=EPSILON)

    for number in range(5):
        gradient = gradients(number, scale)
        cut = min(1.0, MAX_GRADIENT_NORM / np.sqrt(sum((g**2).sum() for g in gradient)))
        theirs[1].assign((1 - RATE * DECAY) * theirs[1])
        adam.apply_gradients([(cut * g, v) for g, v in zip(gradient, theirs, strict=True)])
        move(ours, 64 * flat_as(ours, mine, gradient), number, weight=64.0)

    assert np.allclose(ours.weights, flat_as(ours, mine, [v.numpy() for v in theirs]), atol=1e-6)


def test_biases_and_scales_do_not_decay():
    mine = variables()
    ours = AdamW(mine, DECAY, horizon=10.0)

    move(ours, tf.zeros(16), 0)

    decayed, *stayed = parts_of(ours.weights, ours.variables)
    assert all(map(np.array_equal, stayed, (mine[0], mine[2])))
    assert np.allclose(decayed, mine[1] * (1 - RATE * DECAY))


def test_the_average_is_between_where_it_was_and_where_it_is():
    ours = AdamW(variables(), DECAY, horizon=4.0)
    was = ours.averaged.numpy()

    move(ours, tf.ones(16), 100)

    assert np.allclose(ours.averaged, was + (ours.weights - was) / 4)
