"""Normalisation and SiLU in one layer do what two layers of Keras do, in any precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.shared.network.layers import EPSILON, MOMENTUM, BatchNormSilu, computing_in

CHANNELS = 5


def maps():
    rng = np.random.default_rng(0)
    return tf.constant(rng.normal(3, 2, (4, 6, 7, CHANNELS)), tf.float32)


@pytest.fixture
def pair():
    """Return our layer and Keras' two, with the same weights."""
    ours = BatchNormSilu()
    theirs = keras.layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)
    for layer in (ours, theirs):
        layer.build((None, 6, 7, CHANNELS))
    rng = np.random.default_rng(1)
    weights = [rng.uniform(0.5, 2, CHANNELS).astype(np.float32) for _ in range(4)]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, lambda x, training: tf.nn.silu(theirs(x, training=training)), theirs


def slopes(layer, weights, training):
    """Return what comes out and the gradients of an uneven sum of it."""
    x = maps()
    with tf.GradientTape() as tape:
        tape.watch(x)
        out = layer(x, training=training)
        total = tf.reduce_sum(out * tf.range(CHANNELS, dtype=tf.float32) * tf.sin(x))
    return [out, *tape.gradient(total, [x, *(w.value for w in weights)])]


@pytest.mark.parametrize("training", [True, False])
def test_values_and_gradients_are_those_of_keras(pair, training):
    ours, theirs, stock = pair

    mine = slopes(ours, [ours.gamma, ours.beta], training)
    keras_way = slopes(theirs, [stock.gamma, stock.beta], training)

    for one, other in zip(mine, keras_way, strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-4)


def test_the_moving_mean_is_that_of_keras(pair):
    ours, theirs, stock = pair

    ours(maps(), training=True)
    theirs(maps(), training=True)

    assert np.allclose(ours.mean, stock.moving_mean, atol=1e-5)


def test_the_moving_variance_is_of_what_the_batch_was_drawn_from(pair):
    ours, *_ = pair
    before = ours.variance.numpy()

    ours(maps(), training=True)

    drawn = np.var(maps(), axis=(0, 1, 2), ddof=1)
    assert np.allclose(ours.variance, MOMENTUM * before + (1 - MOMENTUM) * drawn, atol=1e-5)


def test_a_layer_that_is_not_trainable_learns_no_statistics(pair):
    ours, *_ = pair
    ours.trainable = False

    assert np.array_equal(ours(maps(), training=True), ours(maps(), training=False))


def test_statistics_of_half_precision_maps_are_kept_in_full():
    with computing_in("bfloat16"):
        layer = BatchNormSilu()

    assert layer(maps(), training=True).dtype == tf.bfloat16
    assert {weight.dtype for weight in layer.weights} == {"float32"}


def test_a_precision_leaks_nowhere():
    def fail():
        with computing_in("float16"):
            assert keras.config.dtype_policy().name == "mixed_float16"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert keras.config.dtype_policy().name == "float32"
