"""Tensors come back from the flat vector as they went in."""

import numpy as np
import tensorflow as tf

from components.training.train_detector.learning.flatten import fill, flat, parts_of

SHAPES = [(3,), (2, 4), (1, 1, 2, 3), (1,)]


def tensors(seed=0):
    rng = np.random.default_rng(seed)
    return [tf.Variable(rng.normal(size=shape).astype(np.float32)) for shape in SHAPES]


def test_what_was_made_flat_has_its_shapes_again():
    made = parts_of(flat(tensors()), tensors(seed=1))

    for part, tensor in zip(made, tensors(), strict=True):
        assert np.array_equal(part, tensor)


def test_variables_take_what_others_had():
    filled = tensors(seed=1)

    fill(filled, flat(tensors()))

    assert np.array_equal(flat(filled), flat(tensors()))
