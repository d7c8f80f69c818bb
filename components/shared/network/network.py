"""Build the detector: backbone, feature pyramid neck and a head for each of three scales.

The input is `[batch, height, width, 3]` from 0 to 1. The outputs for every anchor (a cell of
one of the three scales) are the logits of the classes, and for the distance from the cell's
centre to each edge of a box the logits of `BINS` whole numbers of strides, from -1 on: a cell
may be assigned to a small object that it lies just outside of.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from components.shared.contracts.errors import UserError
from components.shared.network.layers import Upsample, aggregate, conv, pool_pyramid
from components.shared.network.tensors import FeatureMap, Images, Initializer, Outputs, Tensor

STRIDES = (8, 16, 32)
BINS = 16
FIRST_BIN = -1.0  # strides
WIDTHS = (64, 128, 256, 512, 1024)  # of the five halvings, before `Size.width`
PRIOR = 0.01  # score of every anchor before anything is learned
FIRST_DISTANCE = 2.0  # strides from centre to edge before anything is learned


@dataclass(frozen=True)
class Size:
    """Size of a network: a factor on all channels, and the depth of its blocks."""

    width: float
    depth: int

    def channels(self, base: int) -> int:
        """Return channels as a multiple of 8, and of at least 16."""
        return max(16, round(base * self.width / 8) * 8)


SIZES = {
    "pico": Size(width=0.125, depth=2),
    "nano": Size(width=0.25, depth=2),
    "small": Size(width=0.5, depth=2),
}


def build_network(size: str, classes: int, image_height: int, image_width: int) -> keras.Model:
    """Build an untrained detector.

    Args:
        size: `pico`, `nano` or `small`.
        classes: Number of classes.
        image_height: Height of its input in pixels, a multiple of 32.
        image_width: Width of its input in pixels, a multiple of 32.

    Returns:
        A model from images `[B, h, w, 3]` to a dict of `logits` `[B, A, classes]`, `bins`
        `[B, A, 4, BINS]` and `embedding` `[B, F]`, where A counts the cells of all scales:
        `hw / 64 + hw / 256 + hw / 1024`. All three are float32 whatever is in between.

    Raises:
        UserError: If the size is unknown or the input no multiple of 32.

    Source:
        Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017; Liu et
        al., "Path Aggregation Network for Instance Segmentation", CVPR 2018; Tian et
        al., "FCOS: Fully Convolutional One-Stage Object Detection", ICCV 2019; Li et
        al., "Generalized Focal Loss", NeurIPS 2020.
    """
    if size not in SIZES:
        raise UserError(f"size is {size!r}, expected one of {', '.join(SIZES)}")
    for name, pixels in (("height", image_height), ("width", image_width)):
        if pixels <= 0 or pixels % STRIDES[-1]:
            raise UserError(f"image {name} is {pixels}, expected a multiple of {STRIDES[-1]}")
    images = keras.Input((image_height, image_width, 3), name="images")
    deep = backbone(images, SIZES[size])
    scales = neck(*deep, SIZES[size])
    outputs = head(scales, classes, SIZES[size])
    mean = keras.layers.GlobalAveragePooling2D(name="embedding", dtype="float32")
    return keras.Model(images, {**outputs, "embedding": mean(deep[-1])}, name=f"detector_{size}")


def backbone(images: Images, size: Size) -> tuple[FeatureMap, FeatureMap, FeatureMap]:
    """Return feature maps at strides 8, 16 and 32.

    Args:
        images: `[B, h, w, 3]`, 0 to 1.
        size: Width and depth of the network.
    """
    c1, c2, c3, c4, c5 = map(size.channels, WIDTHS)  # nano: 16, 32, 64, 128, 256
    maps = conv(images, c1, 3, 2, name="stem")  # [B, h/2, w/2, c1]
    maps = _stage(maps, c2, size, name="2")  # [B, h/4, w/4, c2]
    fine = _stage(maps, c3, size, name="3")  # [B, h/8, w/8, c3]
    middle = _stage(fine, c4, size, name="4")  # [B, h/16, w/16, c4]
    coarse = _stage(middle, c5, size, name="5")  # [B, h/32, w/32, c5]
    return fine, middle, pool_pyramid(coarse, c5, name="surroundings")  # the last as `coarse`


def _stage(maps: FeatureMap, channels: int, size: Size, *, name: str) -> FeatureMap:
    """Halve height and width, and apply an ELAN block."""
    maps = conv(maps, channels, 3, 2, name=f"down{name}")
    return aggregate(maps, channels, size.depth, name=f"stage{name}")


def neck(
    fine: FeatureMap, middle: FeatureMap, coarse: FeatureMap, size: Size
) -> tuple[FeatureMap, FeatureMap, FeatureMap]:
    """Return feature maps of the same shapes, mixed top-down and then bottom-up (PAN).

    Args:
        fine: Map at stride 8.
        middle: Map at stride 16.
        coarse: Map at stride 32.
        size: Width and depth of the network.
    """
    _, _, c3, c4, c5 = map(size.channels, WIDTHS)

    def join(first: FeatureMap, second: FeatureMap, channels: int, name: str) -> FeatureMap:
        both = keras.layers.Concatenate(name=f"{name}_pair")([first, second])
        return aggregate(both, channels, size.depth, name=name)

    middle = join(Upsample(name="up4")(coarse), middle, c4, "top4")  # [B, h/16, w/16, c4]
    fine = join(Upsample(name="up3")(middle), fine, c3, "top3")  # [B, h/8, w/8, c3]
    seen = conv(fine, c3, 3, 2, name="back_down4")  # [B, h/16, w/16, c3]
    middle = join(seen, middle, c4, "back4")  # [B, h/16, w/16, c4]
    seen = conv(middle, c4, 3, 2, name="back_down5")  # [B, h/32, w/32, c4]
    return fine, middle, join(seen, coarse, c5, "back5")  # [B, h/32, w/32, c5]


def head(scales: Sequence[FeatureMap], classes: int, size: Size) -> Outputs:
    """Return `logits` and `bins` of every anchor, fine scale first, row by row.

    Class and box are predicted from separate features (decoupled head).

    Args:
        scales: Maps at strides 8, 16 and 32.
        classes: Number of classes.
        size: Width and depth of the network.
    """
    width = size.channels(256)
    prior = keras.initializers.Constant(float(np.log(PRIOR / (1 - PRIOR))))
    class_logits, distance_logits = [], []
    for stride, maps in zip(STRIDES, scales, strict=True):
        cls = conv(maps, width, name=f"what{stride}")  # [B, h/stride, w/stride, width]
        reg = conv(maps, width, name=f"where{stride}")  # the same
        # [B, cells, classes] and [B, cells, 4, BINS]
        class_logits.append(_prediction(cls, (classes,), prior, f"logits{stride}"))
        distance_logits.append(_prediction(reg, (4, BINS), _first_boxes, f"bins{stride}"))
    return {
        "logits": keras.layers.Concatenate(axis=1, name="logits", dtype="float32")(class_logits),
        "bins": keras.layers.Concatenate(axis=1, name="bins", dtype="float32")(distance_logits),
    }


def _prediction(maps: FeatureMap, shape: tuple[int, ...], bias: Initializer, name: str) -> Tensor:
    layer = keras.layers.Conv2D(
        int(np.prod(shape)),
        1,
        bias_initializer=bias,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        name=f"{name}_conv",
    )
    return keras.layers.Reshape((-1, *shape), name=f"{name}_anchors")(layer(maps))


def _first_boxes(shape: tuple[int, ...], dtype: str | None = None) -> Tensor:
    """Initialise boxes at about the size of the objects of each scale."""
    slope = -np.abs(np.arange(BINS) + FIRST_BIN - FIRST_DISTANCE)
    return keras.ops.convert_to_tensor(np.tile(slope, 4).reshape(shape), dtype)
