"""Decode distance distributions to xyxy boxes, and build the serving function."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.shared.contracts.model import BOXES, EMBEDDING, INPUT, SCORES
from components.shared.network.network import BINS, FIRST_BIN, STRIDES
from components.shared.network.tensors import (
    BatchBoxes,
    Centres,
    DistanceLogits,
    Images,
    Outputs,
    Serve,
    Strides,
)


def anchor_points(
    image_height: int, image_width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the centre of every anchor, in the network's order.

    Args:
        image_height: Height of the network's input in pixels.
        image_width: Width of the network's input in pixels.

    Returns:
        Centres `[A, 2]` as x, y in pixels of the input, and strides `[A]` in pixels.

    >>> centres, strides = anchor_points(32, 32)
    >>> centres[0], strides.tolist().count(8)
    (array([4., 4.], dtype=float32), 16)
    """
    centres, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: image_height // stride, : image_width // stride]
        cells = np.stack([columns, rows], axis=-1).reshape(-1, 2)
        centres.append((cells + 0.5) * stride)
        strides.append(np.full(len(cells), stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def boxes_of(distance_logits: DistanceLogits, centres: Centres, strides: Strides) -> BatchBoxes:
    """Return the boxes of distance distributions: expected distance to each edge.

    Args:
        distance_logits: `[B, A, 4, BINS]` logits of the distances to left, top, right and bottom.
        centres: `[A, 2]` centres of the anchors in pixels.
        strides: `[A]` strides of the anchors in pixels.

    Returns:
        `[B, A, 4]` boxes as x_min, y_min, x_max, y_max in pixels.

    Source:
        Li et al., "Generalized Focal Loss", NeurIPS 2020: the expected distance.
    """
    steps = tf.range(BINS, dtype=tf.float32) + FIRST_BIN
    outward = strides[:, None] * tf.constant([-1.0, -1.0, 1.0, 1.0])  # [A, 4]
    moved = tf.linalg.matvec(tf.nn.softmax(distance_logits), steps) * outward
    return tf.concat([centres, centres], axis=-1) + moved


def serving_function(model: keras.Model) -> Serve:
    """Return the served function, from images to boxes and scores before NMS, as one graph.

    Args:
        model: A detector as `restore` or `build_network` returns it.

    Returns:
        A `tf.function` of `images`, float32 `[batch, 3, h, w]` from 0 to 1, that returns
        a dict of `boxes` `[batch, A, 4]` as xyxy in pixels of the input, `scores`
        `[batch, A, classes]` from 0 to 1 and `embedding` `[batch, F]`.
    """
    _, height, width, _ = model.input_shape
    centres, strides = anchor_points(height, width)
    signature = [tf.TensorSpec([None, 3, height, width], tf.float32, name=INPUT)]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def serve(images: Images) -> Outputs:
        outputs = model(tf.transpose(images, [0, 2, 3, 1]), training=False)
        return {
            BOXES: boxes_of(outputs["bins"], centres, strides),
            SCORES: tf.sigmoid(outputs["logits"]),
            EMBEDDING: outputs["embedding"],
        }

    return serve
