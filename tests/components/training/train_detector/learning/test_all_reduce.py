"""What is spelled byte by byte comes out exactly, whoever adds up, in whatever precision."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from components.training.train_detector.learning.all_reduce import (
    GradientAllReduce,
    decode_exact,
    encode_exact,
)

NUMBERS = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=5),
    elements=st.floats(width=32, allow_subnormal=False),
)


@pytest.mark.parametrize("precision", ["float16", "bfloat16", "float32"])
@given(said=NUMBERS)
def test_the_sum_of_what_workers_spell_is_the_sum_of_their_numbers(precision, said):
    workers = len(said)

    sent = [
        encode_exact(tf.constant(row), place, workers, tf.as_dtype(precision))
        for place, row in enumerate(said)
    ]

    total = decode_exact(tf.add_n(sent), workers).numpy()
    assert total.tobytes() == tf.reduce_sum(said, axis=0).numpy().tobytes()


@pytest.mark.parametrize("precision", ["float16", "bfloat16", "float32"])
def test_a_worker_that_is_alone_hears_exactly_what_it_says(precision):
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    wire = GradientAllReduce(strategy, precision, 2)
    mine = np.float32([1e-30, 1 / 3, 1e30, 7, 8])

    gradient, numbers = strategy.run(lambda: wire.total(tf.constant(mine)))

    assert gradient.numpy().tobytes() + numbers.numpy().tobytes() == mine.tobytes()
