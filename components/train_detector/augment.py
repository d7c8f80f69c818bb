"""Each time a picture is learned from it looks different, and the same seed sees the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.train_detector.samples import Sample, Source
from components.vision.letterbox import PADDING

ZOOM = (0.6, 1.7)
TILE_ZOOM = (0.4, 1.2)  # in a mosaic, where four pictures share the place of one
LEAST_VISIBLE = 0.3  # share of a box that must remain for it to count
LEAST_SIDE = 3.0  # pixels

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the canvas, and which place of a picture comes to which place in it.

    `x = scale * picture_x + left` in pixels of the window; a mirrored picture is turned
    left to right before.
    """

    width: int
    height: int
    scale: float
    left: float
    top: float
    mirrored: bool

    def look(self, sample: Sample) -> Sample:
        """Return what of a picture is seen through the window, grey where it ends."""
        across = sample.image.shape[1]
        step = 1 / self.scale
        turn = (-step, across + self.left * step) if self.mirrored else (step, -self.left * step)
        image = Image.fromarray(sample.image).transform(
            (self.width, self.height),
            Image.Transform.AFFINE,
            (turn[0], 0, turn[1], 0, step, -self.top * step),
            Image.Resampling.BILINEAR,
            fillcolor=(PADDING,) * 3,
        )
        boxes = sample.boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (across, 0, across, 0)
        moved = (boxes if self.mirrored else sample.boxes) * self.scale + (self.left, self.top) * 2
        return self._cut(np.asarray(image), moved, sample.classes)

    def _cut(
        self, image: NDArray[np.uint8], boxes: NDArray[np.floating], classes: NDArray[np.int32]
    ) -> Sample:
        cut = np.clip(boxes, 0, (self.width, self.height) * 2)
        before, after = boxes[:, 2:] - boxes[:, :2], cut[:, 2:] - cut[:, :2]
        visible = after.prod(axis=1) >= LEAST_VISIBLE * before.prod(axis=1)
        kept = visible & (after.min(axis=1, initial=np.inf) >= LEAST_SIDE)
        return Sample(image, cut[kept].astype(np.float32), classes[kept])


def augment(samples: Source, index: int, mosaic: float, rng: Rng) -> Sample:
    """Return a picture moved, zoomed, perhaps mirrored, in another light.

    Args:
        samples: All pictures of the training split, of one size.
        index: Which of them.
        mosaic: Chance that three others share its place.
        rng: Decides everything.

    Source:
        Bochkovskiy et al., "YOLOv4", 2020: the mosaic.
    """
    if rng.random() < mosaic:
        others = rng.integers(len(samples), size=3)
        sample = tile([samples[index], *(samples[other] for other in others)], rng)
    else:
        sample = zoom(samples[index], rng)
    return Sample(recolour(sample.image, rng), sample.boxes, sample.classes)


def zoom(sample: Sample, rng: Rng) -> Sample:
    """Look at one picture from nearer or farther, and a little aside."""
    height, width = sample.image.shape[:2]
    scale = _factor(ZOOM, rng)
    return _window(sample, width, height, scale, rng.random(2), rng).look(sample)


def tile(samples: Sequence[Sample], rng: Rng) -> Sample:
    """Put four pictures around a point near the middle of one canvas."""
    height, width = samples[0].image.shape[:2]
    x, y = (int(side * rng.uniform(0.3, 0.7)) for side in (width, height))
    canvas = np.empty_like(samples[0].image)
    boxes, classes = [], []
    corners = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
    for sample, (left, top, right, bottom) in zip(samples, corners, strict=True):
        scale = _factor(TILE_ZOOM, rng)
        part = _window(sample, right - left, bottom - top, scale, rng.random(2), rng).look(sample)
        canvas[top:bottom, left:right] = part.image
        boxes.append(part.boxes + np.array((left, top) * 2, np.float32))
        classes.append(part.classes)
    return Sample(canvas, np.concatenate(boxes), np.concatenate(classes))


def recolour(image: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Change saturation, contrast, brightness and the tint of the light."""
    picture = Image.fromarray(image)
    grey = picture.convert("L").convert("RGB")
    picture = Image.blend(grey, picture, rng.uniform(0.4, 1.5))
    gains = rng.uniform(0.6, 1.4) * rng.uniform(0.92, 1.08, size=3)
    levels = np.linspace(0, 1, 256) ** _factor((0.7, 1.5), rng)
    table = np.clip(levels * gains[:, None] * 255, 0, 255).astype(np.uint8)
    return np.asarray(picture.point(table.ravel().tolist()))


def _window(
    sample: Sample, width: int, height: int, scale: float, place: NDArray[np.floating], rng: Rng
) -> Window:
    # `place` slides the scaled picture between its two extreme positions in the window.
    rows, columns = sample.image.shape[:2]
    left = (width - columns * scale) * place[0]
    top = (height - rows * scale) * place[1]
    return Window(width, height, scale, left, top, mirrored=bool(rng.random() < 0.5))


def _factor(span: tuple[float, float], rng: Rng) -> float:
    """Return a factor whose logarithm is uniform, so that halving is as likely as doubling."""
    return float(np.exp(rng.uniform(*np.log(span))))
