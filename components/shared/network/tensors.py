"""Types of tensors by what they hold, with their shapes; mypy takes all of them as Any.

TensorFlow and Keras publish no types. In the shapes `B` is images, `h` and `w` are pixels or
cells, `C` is channels or classes, `A` is anchors, `M` is places for objects, `P` is pairs of an
object and its anchor, `F` is features, and `N` is any number.
"""

from collections.abc import Callable
from typing import TypeAlias

import keras
import tensorflow as tf

Tensor: TypeAlias = tf.Tensor | keras.KerasTensor  # of any shape
Variable: TypeAlias = tf.Variable | keras.Variable  # of any shape
Scalar: TypeAlias = Tensor  # []
Vector: TypeAlias = Tensor  # [N]

Images: TypeAlias = Tensor  # [B, h, w, 3]
FeatureMap: TypeAlias = Tensor  # [B, h, w, C]
MapShape: TypeAlias = tuple[int | None, int, int, int]  # of a feature map; B is None in a graph

Centres: TypeAlias = Tensor  # [A, 2], x and y in pixels
Strides: TypeAlias = Tensor  # [A], pixels
BatchBoxes: TypeAlias = Tensor  # [B, N, 4], xyxy in pixels
BatchClasses: TypeAlias = Tensor  # [B, N], int32
ClassLogits: TypeAlias = Tensor  # [B, A, C]
ClassScores: TypeAlias = Tensor  # [B, A, C], 0 to 1
DistanceLogits: TypeAlias = Tensor  # [B, A, 4, BINS]
AnchorPairs: TypeAlias = Tensor  # [B, M, A], a value for each object and anchor
PairBoxes: TypeAlias = Tensor  # [P, 4], xyxy in pixels
PairDistanceLogits: TypeAlias = Tensor  # [P, 4, BINS]

Outputs: TypeAlias = dict[str, Tensor]  # `logits` and `bins`, or what is served, by name
Serve: TypeAlias = tf.types.experimental.PolymorphicFunction  # from `Images` to `Outputs`
Initializer: TypeAlias = keras.initializers.Initializer | Callable[..., Tensor]
