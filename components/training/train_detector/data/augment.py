"""Augment training images at random: crop, zoom, mirror, mosaic, color jitter.

The same seed, epoch and image give the same augmentation.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from cykooz_resizer import (
    CropBox,
    FilterType,
    ResizeAlg,
    ResizeOptions,
    Resizer,
)
from numpy.typing import NDArray
from PIL import Image

from components.shared.vision.letterbox import PADDING
from components.training.train_detector.data.color_jitter import ColorJitter
from components.training.train_detector.data.crops import (
    Crop,
    Place,
    Rectangle,
    Rng,
    Span,
    mosaic_tiles,
    random_crop,
)
from components.training.train_detector.data.training_images import TrainingImage
from components.training.train_detector.plan.settings import MAX_BOXES

TILE = 0.7  # in a mosaic, where four share the place of one, pictures are that much smaller
STEPS = 1024  # of a pixel, in whole ones of which sums are exact
BILINEAR = ResizeAlg.convolution(FilterType.bilinear)


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Ranges and probabilities of the augmentation.

    Attributes:
        mosaic: Chance that three others share the place of one.
        zoom: The least and the most that one is scaled by.
    """

    mosaic: float
    zoom: Span


class AugmentedImage(NamedTuple):
    """Labels of an augmented image: boxes `[N, 4]`, xyxy in pixels, classes `[N]`, color jitter."""

    boxes: NDArray[np.float32]
    classes: NDArray[np.int32]
    jitter: ColorJitter


def augment(
    picture: TrainingImage,
    others: Callable[[int], TrainingImage],
    config: AugmentConfig,
    canvas: NDArray[np.uint8],
    rng: Rng,
) -> AugmentedImage:
    """Augment an image into `canvas`, and return its labels and the color jitter to apply.

    A mosaic that would have more than `MAX_BOXES` is not made: without some of its boxes, objects
    would be learned as background.

    Args:
        picture: The image.
        others: Returns a picture for a mosaic, by any number below 2 ** 31.
        config: How pictures are looked at.
        canvas: uint8 `[h, w, 3]` that takes it, as RGB before color jitter.
        rng: Decides everything.
    """
    height, width = canvas.shape[:2]
    zoom, pictures = config.zoom, [picture]
    panes: Sequence[Rectangle] = [(0, 0, width, height)]
    if rng.random() < config.mosaic:
        tiles = [picture, *(others(number) for number in rng.integers(2**31, size=3).tolist())]
        if sum(len(tile.boxes) for tile in tiles) <= MAX_BOXES:
            pictures = tiles
            panes, zoom = mosaic_tiles(width, height, rng), (zoom[0] * TILE, zoom[1] * TILE)
    jitter = ColorJitter.sample(rng)
    canvas[0] = jitter.padding_color(PADDING)
    canvas[1:] = canvas[0]  # row by row is 20 times as quick as pixel by pixel
    boxes, classes = [], []
    for one, pane in zip(pictures, panes, strict=True):
        seen = random_crop(pane, one.size, zoom, rng)
        paint(canvas, one, seen)
        moved = seen.move(one.boxes, one.classes, one.size)
        boxes.append(moved[0])
        classes.append(moved[1])
    return AugmentedImage(np.concatenate(boxes), np.concatenate(classes), jitter)


def paint(canvas: NDArray[np.uint8], picture: TrainingImage, seen: Crop) -> None:
    """Draw the visible part of an image on a canvas, uint8 `[h, w, 3]`.

    Args:
        canvas: Written in place.
        picture: The image.
        seen: Its position on the canvas.
    """
    left, top, right, bottom = seen.shown
    source = seen.source(picture.image.size)
    image = resized(picture.image, (right - left, bottom - top), source)
    if seen.mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    canvas[top:bottom, left:right] = np.asarray(image)


def resized(image: Image.Image, size: tuple[int, int], box: Place) -> Image.Image:
    """Return what Pillow's bilinear filter does, within one level, in a quarter of its time.

    Args:
        image: RGB.
        size: Width and height to become, in pixels.
        box: The part of the image that is shown, in its pixels.
    """
    left, top, right, bottom = (math.floor(edge * STEPS) / STEPS for edge in box)
    part = CropBox(left, top, right - left, bottom - top)
    target = Image.new("RGB", size, None)  # every pixel will be written
    Resizer().resize_pil(image, target, ResizeOptions(BILINEAR, use_alpha=False, crop_box=part))
    return target
