"""Layers and blocks of the network; every feature map is `[batch, height, width, channels]`.

A network may compute in half precision (`computing_in`); its weights, and all that adds up over
many values or steps, are float32 in any case.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from components.shared.network.tensors import FeatureMap, MapShape, Tensor, Variable, Vector

MOMENTUM = 0.97  # of the moving statistics: a short training must still fill them
EPSILON = 1e-3


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Set the compute precision of networks built within the context.

    Args:
        precision: `float32`, or `bfloat16` or `float16` for everything between float32
            weights and float32 outputs.

    Source:
        Micikevicius et al., "Mixed Precision Training", ICLR 2018.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class BatchNormSilu(keras.layers.Layer):  # type: ignore[misc]
    """Batch normalisation by TensorFlow's fused kernel, followed by SiLU, `x * sigmoid(x)`.

    For the gradient of both only what went in is kept: what lies between them is made again.

    Source:
        Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by
        Reducing Internal Covariate Shift", ICML 2015; Elfwing et al., "Sigmoid-Weighted
        Linear Units for Neural Network Function Approximation in Reinforcement Learning", 2018;
        Rota Bulo et al., "In-Place Activated BatchNorm", CVPR 2018.
    """

    def build(self, input_shape: MapShape) -> None:
        """Make scale, offset and moving statistics of each channel."""
        self.gamma = self._weight("gamma", "ones", input_shape)
        self.beta = self._weight("beta", "zeros", input_shape)
        self.mean = self._weight("moving_mean", "zeros", input_shape, trainable=False)
        self.variance = self._weight("moving_variance", "ones", input_shape, trainable=False)

    def _weight(self, name: str, first: str, shape: MapShape, trainable: bool = True) -> Variable:
        # The kernel takes these as float32 whatever the maps are.
        return self.add_weight(
            shape=(shape[-1],), initializer=first, name=name, trainable=trainable, autocast=False
        )

    def call(self, maps: FeatureMap, training: bool = False) -> FeatureMap:
        """Normalise by batch statistics in training, by moving ones otherwise, and apply SiLU.

        A layer that is not `trainable` normalises by the moving ones in training, too.

        Args:
            maps: `[B, h, w, C]`.
            training: Whether batch statistics are used.
        """
        own = (self.gamma, self.beta, self.mean, self.variance)
        weights = [tf.convert_to_tensor(weight) for weight in own]
        if not (training and self.trainable):
            return tf.nn.silu(_normalise(maps, *weights, learning=False)[0])
        activate = _batch_norm_silu if _on_processor() else _batch_norm_then_silu
        activated, mean, variance = activate(maps, *weights)
        self.mean.assign(mean)
        self.variance.assign(variance)
        return activated

    def compute_output_shape(self, input_shape: MapShape) -> MapShape:
        """Return the shape of `call` without running it."""
        return input_shape


def _on_processor() -> bool:
    return not tf.config.list_logical_devices("GPU")


def _normalise(
    maps: FeatureMap, gamma: Vector, beta: Vector, mean: Vector, variance: Vector, *, learning: bool
) -> tuple[Tensor, ...]:
    """Return normalised maps, the statistics from now on, and three notes for the gradient."""
    normalised: tuple[Tensor, ...] = tf.raw_ops.FusedBatchNormV3(
        x=maps,
        scale=gamma,
        offset=beta,
        mean=mean,
        variance=variance,
        epsilon=EPSILON,
        exponential_avg_factor=1 - MOMENTUM if learning else 1.0,
        is_training=learning,
    )
    return normalised


def _batch_norm_then_silu(maps: FeatureMap, *weights: Vector) -> tuple[FeatureMap, Vector, Vector]:
    normed, mean, variance, *_ = _normalise(maps, *weights, learning=True)
    return tf.nn.silu(normed), mean, variance


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _batch_norm_silu(
    maps: FeatureMap, gamma: Vector, beta: Vector, *moving: Vector
) -> tuple[tuple[FeatureMap, Vector, Vector], Callable[..., tuple[Tensor | None, ...]]]:
    normed, mean, variance, *notes = _normalise(maps, gamma, beta, *moving, learning=True)

    def gradient(upstream: FeatureMap, *_: Vector) -> tuple[Tensor | None, ...]:
        # On a processor the first two notes are the batch's own mean and variance.
        into, into_gamma, into_beta, *_ = tf.raw_ops.FusedBatchNormGradV3(
            y_backprop=_through_silu(maps, gamma, beta, *notes[:2], upstream),
            x=maps,
            scale=gamma,
            reserve_space_1=notes[0],
            reserve_space_2=notes[1],
            reserve_space_3=notes[2],
            epsilon=EPSILON,
        )
        return into, into_gamma, into_beta, None, None

    return (normed * tf.sigmoid(normed), mean, variance), gradient


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def _through_silu(
    maps: FeatureMap,
    gamma: Vector,
    beta: Vector,
    mean: Vector,
    variance: Vector,
    upstream: FeatureMap,
) -> FeatureMap:
    """Return the gradient before SiLU of the normalised maps; compiled, it is one pass."""
    x = (tf.cast(maps, tf.float32) - mean) * (gamma * tf.math.rsqrt(variance + EPSILON)) + beta
    share = tf.sigmoid(x)
    slope = share + x * share * (1 - share)
    return tf.cast(tf.cast(upstream, tf.float32) * slope, maps.dtype)


class Upsample(keras.layers.Layer):  # type: ignore[misc]
    """Nearest-neighbour upsampling to twice the height and width."""

    def call(self, maps: FeatureMap) -> FeatureMap:
        """Return `[B, 2h, 2w, C]` for `[B, h, w, C]`."""
        return tf.raw_ops.ResizeNearestNeighbor(
            images=maps, size=(2 * maps.shape[1], 2 * maps.shape[2])
        )

    def compute_output_shape(self, input_shape: MapShape) -> MapShape:
        """Return the shape of `call` without running it."""
        batch, height, width, channels = input_shape
        return (batch, 2 * height, 2 * width, channels)


def conv(
    maps: FeatureMap, channels: int, kernel: int = 3, stride: int = 1, *, name: str
) -> FeatureMap:
    """Convolution, batch normalisation and SiLU; the size is divided by `stride`.

    Args:
        maps: `[B, h, w, C]`.
        channels: Channels of the output.
        kernel: Side of the kernel in cells.
        stride: Step of the kernel in cells.
        name: Prefix of the layers' names.
    """
    maps = keras.layers.Conv2D(
        channels,
        kernel,
        stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(maps)
    return BatchNormSilu(name=f"{name}_norm")(maps)


def aggregate(maps: FeatureMap, channels: int, depth: int, *, name: str) -> FeatureMap:
    """ELAN block: a chain of convolutions beside a shortcut, all joined by a 1 x 1 convolution.

    Args:
        maps: `[B, h, w, C]`.
        channels: Channels of the output.
        depth: Convolutions in the chain.
        name: Prefix of the layers' names.

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


def pool_pyramid(maps: FeatureMap, channels: int, *, name: str) -> FeatureMap:
    """Spatial pyramid pooling (SPPF): maxima over 5, 9 and 13 cells.

    Args:
        maps: `[B, h, w, C]`.
        channels: Channels of the output.
        name: Prefix of the layers' names.

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
