"""One network in three sizes: a backbone, a neck that mixes scales, a head for each scale.

It takes `[batch, height, width, 3]` from 0 to 1. For every anchor (a cell of one of the
three scales) it gives the logits of the classes, and for the distance from the cell's
centre to each edge of a box the logits of `BINS` whole numbers of strides, from -1 on: a
cell may answer for a small object that it lies just outside of.
"""

from dataclasses import dataclass
from typing import Any

import keras  # type: ignore[import-untyped]
import numpy as np

from components.contracts.refusal import Refusal
from components.detector.layers import Upsample, aggregate, conv, pool_pyramid

STRIDES = (8, 16, 32)
BINS = 16
FIRST_BIN = -1.0  # strides
WIDTHS = (64, 128, 256, 512, 1024)  # of the five halvings, before `Size.width`
PRIOR = 0.01  # score of every anchor before anything is learned
FIRST_DISTANCE = 2.0  # strides from centre to edge before anything is learned


@dataclass(frozen=True)
class Size:
    """How large a network is: a factor on all channels, and the length of its chains."""

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
        classes: How many classes it tells apart.
        image_height: Height of its input in pixels, a multiple of 32.
        image_width: Width of its input in pixels, a multiple of 32.

    Returns:
        A model from images `[B, h, w, 3]` to a dict of `logits` `[B, A, classes]`, `bins`
        `[B, A, 4, BINS]` and `embedding` `[B, F]`, where A counts the cells of all scales.

    Raises:
        Refusal: If the size is unknown or the input no multiple of 32.

    Source:
        Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017; Liu et
        al., "Path Aggregation Network for Instance Segmentation", CVPR 2018; Tian et
        al., "FCOS: Fully Convolutional One-Stage Object Detection", ICCV 2019; Li et
        al., "Generalized Focal Loss", NeurIPS 2020.
    """
    if size not in SIZES:
        raise Refusal(f"size is {size!r}, expected one of {', '.join(SIZES)}")
    for name, pixels in (("height", image_height), ("width", image_width)):
        if pixels <= 0 or pixels % STRIDES[-1]:
            raise Refusal(f"image {name} is {pixels}, expected a multiple of {STRIDES[-1]}")
    images = keras.Input((image_height, image_width, 3), name="images")
    deep = backbone(images, SIZES[size])
    scales = neck(deep, SIZES[size])
    outputs = head(scales, classes, SIZES[size])
    embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(deep[-1])
    return keras.Model(images, {**outputs, "embedding": embedding}, name=f"detector_{size}")


def backbone(images: Any, size: Size) -> list[Any]:
    """Return feature maps at strides 8, 16 and 32, the deepest last."""
    stem, *widths = map(size.channels, WIDTHS)
    maps = conv(images, stem, 3, 2, name="stem")
    found = []
    for level, width in enumerate(widths, start=2):
        maps = conv(maps, width, 3, 2, name=f"down{level}")
        maps = aggregate(maps, width, size.depth, name=f"stage{level}")
        found.append(maps)
    found[-1] = pool_pyramid(found[-1], widths[-1], name="surroundings")
    return found[1:]


def neck(deep: list[Any], size: Size) -> list[Any]:
    """Return maps at the same strides, where meaning went down and detail came back up."""
    fine, middle, coarse = deep
    widths = [size.channels(base) for base in WIDTHS[2:]]
    join = keras.layers.Concatenate
    seen = join(name="top_join4")([Upsample(name="up4")(coarse), middle])
    middle = aggregate(seen, widths[1], size.depth, name="top4")
    seen = join(name="top_join3")([Upsample(name="up3")(middle), fine])
    fine = aggregate(seen, widths[0], size.depth, name="top3")
    seen = join(name="back_join4")([conv(fine, widths[0], 3, 2, name="back_down4"), middle])
    middle = aggregate(seen, widths[1], size.depth, name="back4")
    seen = join(name="back_join5")([conv(middle, widths[1], 3, 2, name="back_down5"), coarse])
    return [fine, middle, aggregate(seen, widths[2], size.depth, name="back5")]


def head(scales: list[Any], classes: int, size: Size) -> dict[str, Any]:
    """Return `logits` and `bins` of every anchor, fine scale first, row by row."""
    width = size.channels(256)
    logits, bins = [], []
    for stride, maps in zip(STRIDES, scales, strict=True):
        what = conv(maps, width, name=f"what{stride}")
        where = conv(maps, width, name=f"where{stride}")
        prior = keras.initializers.Constant(float(np.log(PRIOR / (1 - PRIOR))))
        logits.append(_answer(what, (classes,), prior, f"logits{stride}"))
        bins.append(_answer(where, (4, BINS), _first_boxes, f"bins{stride}"))
    return {
        "logits": keras.layers.Concatenate(axis=1, name="logits")(logits),
        "bins": keras.layers.Concatenate(axis=1, name="bins")(bins),
    }


def _answer(maps: Any, shape: tuple[int, ...], bias: Any, name: str) -> Any:
    layer = keras.layers.Conv2D(
        int(np.prod(shape)),
        1,
        bias_initializer=bias,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        name=f"{name}_conv",
    )
    return keras.layers.Reshape((-1, *shape), name=f"{name}_anchors")(layer(maps))


def _first_boxes(shape: Any, dtype: Any = None) -> Any:
    """Make the first boxes about as large as the objects that a scale is there for."""
    slope = -np.abs(np.arange(BINS) + FIRST_BIN - FIRST_DISTANCE)
    return keras.ops.convert_to_tensor(np.tile(slope, 4).reshape(shape), dtype)
