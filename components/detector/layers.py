"""The parts the network is made of; every map is `[batch, height, width, channels]`."""

from typing import Any

import keras  # type: ignore[import-untyped]
import tensorflow as tf  # type: ignore[import-untyped]

MOMENTUM = 0.97  # of the moving statistics: a short training must still fill them
EPSILON = 1e-3


class BatchNorm(keras.layers.Layer):  # type: ignore[misc]
    """Batch normalisation by TensorFlow's fused kernel, which Keras 3 does not use.

    Source:
        Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by
        Reducing Internal Covariate Shift", ICML 2015.
    """

    def build(self, input_shape: Any) -> None:
        """Make the scale, the shift and the moving statistics of each channel."""
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")
        self.mean = self.add_weight(
            shape=shape, initializer="zeros", name="moving_mean", trainable=False
        )
        self.variance = self.add_weight(
            shape=shape, initializer="ones", name="moving_variance", trainable=False
        )

    def call(self, maps: Any, training: bool = False) -> Any:
        """Normalise by the batch's own statistics in training, by the moving ones after."""
        normed, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=maps,
            scale=self.gamma,
            offset=self.beta,
            mean=self.mean,
            variance=self.variance,
            epsilon=EPSILON,
            exponential_avg_factor=1 - MOMENTUM if training else 1.0,
            is_training=bool(training),
        )
        if training:
            self.mean.assign(mean)
            self.variance.assign(variance)
        return normed


class Upsample(keras.layers.Layer):  # type: ignore[misc]
    """Twice the height and width, each value repeated: one plain resize."""

    def call(self, maps: Any) -> Any:
        """Return `[B, 2h, 2w, C]` for `[B, h, w, C]`."""
        return tf.raw_ops.ResizeNearestNeighbor(
            images=maps, size=(2 * maps.shape[1], 2 * maps.shape[2])
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Say what `call` returns without running it."""
        batch, height, width, channels = input_shape
        return (batch, 2 * height, 2 * width, channels)


def conv(maps: Any, channels: int, kernel: int = 3, stride: int = 1, *, name: str) -> Any:
    """Convolve, normalise, and bend by SiLU; the size is divided by `stride`."""
    maps = keras.layers.Conv2D(
        channels,
        kernel,
        stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(maps)
    maps = BatchNorm(name=f"{name}_norm")(maps)
    return keras.layers.Activation("silu", name=f"{name}_silu")(maps)


def aggregate(maps: Any, channels: int, depth: int, *, name: str) -> Any:
    """Run a chain of convolutions beside a shortcut, and mix every link of the chain.

    Source:
        Wang et al., "Designing Network Design Strategies Through Gradient Path
        Analysis", 2022: efficient layer aggregation (ELAN).
    """
    hidden = channels // 2
    links = [
        conv(maps, hidden, 1, name=f"{name}_shortcut"),
        conv(maps, hidden, 1, name=f"{name}_enter"),
    ]
    for link in range(depth):
        links.append(conv(links[-1], hidden, name=f"{name}_link{link}"))
    joined = keras.layers.Concatenate(name=f"{name}_join")(links)
    return conv(joined, channels, 1, name=f"{name}_leave")


def pool_pyramid(maps: Any, channels: int, *, name: str) -> Any:
    """Let every place see its wide surroundings, by maxima over 5, 9 and 13 cells.

    Source:
        He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual
        Recognition", ECCV 2014.
    """
    views = [conv(maps, channels // 2, 1, name=f"{name}_enter")]
    for reach in (5, 9, 13):
        pool = keras.layers.MaxPooling2D(5, 1, "same", name=f"{name}_{reach}")
        views.append(pool(views[-1]))
    joined = keras.layers.Concatenate(name=f"{name}_join")(views)
    return conv(joined, channels, 1, name=f"{name}_leave")
