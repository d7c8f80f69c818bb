"""Compute descriptors of a frame for drift detection: brightness, contrast, sharpness, boxes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.shared.contracts.annotation import ScoredBox
from components.shared.vision.jpeg import LUMA

PICTURE = (
    "brightness", "contrast", "saturation", "warmth",
    "dark_share", "bright_share", "sharpness", "noise",
)  # fmt: skip
DETECTIONS = ("boxes", "mean_score", "low_score_share", "box_size")
DESCRIPTORS: tuple[str, ...] = PICTURE + DETECTIONS

ROWS, COLUMNS = 96, 128  # points of the grid that is looked at, whatever the image's size
DARK, BRIGHT = 0.2, 0.9
LOW_SCORE = 0.5

Floats = NDArray[np.float32]


def describe(image: NDArray[np.uint8], boxes: Sequence[ScoredBox]) -> dict[str, float]:
    """Return the descriptors of an image and of its detected boxes.

    Colours are taken at a fixed grid of points. Sharpness and noise compare each point
    with its neighbours in the full image, which a smaller copy would have smoothed away.

    Args:
        image: `[H, W, 3]`, RGB, 0 to 255.
        boxes: What was served: the boxes above the serving threshold.

    Returns:
        One finite number for each of `DESCRIPTORS`, in their order. `brightness`,
        `contrast`, `saturation` and the shares are in 0 to 1; `warmth` is red less blue,
        -1 to 1; `sharpness` is the logarithm of the variance of the Laplacian; `noise` is
        a standard deviation in grey levels; `boxes` counts; `box_size` is the median of
        the square root of a box's share of the picture. A picture without boxes has 0.

    Source:
        Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000:
        variance of the Laplacian. Immerkær, "Fast noise variance estimation", CVIU 64,
        1996: noise from a second difference.
    """
    values = _picture(image) + _detections(boxes, image.shape[0] * image.shape[1])
    return {name: float(value) for name, value in zip(DESCRIPTORS, values, strict=True)}


def _picture(image: NDArray[np.uint8]) -> tuple[float, ...]:
    rows, columns = _points(image.shape[0], ROWS), _points(image.shape[1], COLUMNS)
    colours = image[np.ix_(rows, columns)].astype(np.float32) / 255
    grey = _grey(colours)
    high, low = colours.max(axis=2), colours.min(axis=2)
    laplacian = _laplacian(image, rows, columns)
    return (
        grey.mean(),
        grey.std(),
        ((high - low) / np.maximum(high, 1 / 255)).mean(),
        (colours[..., 0] - colours[..., 2]).mean(),
        (grey < DARK).mean(),
        (grey > BRIGHT).mean(),
        np.log1p(laplacian.var()),
        # Of pure noise of deviation 1, this sum of five values has deviation sqrt(20), and
        # the median of its size is 0.6745 of that; edges are few and do not move a median.
        np.median(np.abs(laplacian)) / (0.6745 * np.sqrt(20)),
    )


def _detections(boxes: Sequence[ScoredBox], pixels: int) -> tuple[float, ...]:
    if not boxes:
        return (0.0, 0.0, 0.0, 0.0)
    scores = np.array([box.score for box in boxes])
    areas = np.array([box.area for box in boxes])
    size = np.median(np.sqrt(areas / pixels))
    return (len(boxes), scores.mean(), (scores < LOW_SCORE).mean(), float(size))


def _points(length: int, count: int) -> NDArray[np.intp]:
    return ((np.arange(count) + 0.5) * length / count).astype(np.intp)


def _grey(colours: NDArray[np.number]) -> Floats:
    return np.asarray(colours @ np.array(LUMA, np.float32))


def _laplacian(
    image: NDArray[np.uint8], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> Floats:
    height, width = image.shape[:2]
    above, below = np.maximum(rows - 1, 0), np.minimum(rows + 1, height - 1)
    left, right = np.maximum(columns - 1, 0), np.minimum(columns + 1, width - 1)
    around = sum(
        _grey(image[np.ix_(y, x)])
        for y, x in ((above, columns), (below, columns), (rows, left), (rows, right))
    )
    return np.asarray(around - 4 * _grey(image[np.ix_(rows, columns)]))
