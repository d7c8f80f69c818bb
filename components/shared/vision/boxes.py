"""Compute areas, IoU and clipping of boxes `[N, 4]`: xyxy in pixels, right and bottom exclusive."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from components.shared.contracts.annotation import Box

Boxes = NDArray[np.float64]


def box_array(boxes: Sequence[Box]) -> Boxes:
    """Return annotated boxes as an array `[N, 4]`, without their classes.

    >>> box_array([Box(x_min=1, y_min=2, x_max=3, y_max=4, label="car")])
    array([[1., 2., 3., 4.]])
    """
    corners = [(box.x_min, box.y_min, box.x_max, box.y_max) for box in boxes]
    return np.array(corners, np.float64).reshape(-1, 4)


def box_areas(boxes: ArrayLike) -> NDArray[np.float64]:
    """Return the areas `[N]` in square pixels; 0 for inverted boxes.

    Args:
        boxes: `[N, 4]`.

    Raises:
        ValueError: If the array is not `[N, 4]`.
    """
    checked = _checked(boxes)
    width, height = (checked[:, 2:] - checked[:, :2]).clip(min=0).T
    return np.asarray(width * height)


def pairwise_iou(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return the IoU of every pair of boxes of two sets.

    Args:
        first: `[N, 4]`.
        second: `[M, 4]`, in the same frame.

    Returns:
        `[N, M]`, each in 0 to 1; a box without area overlaps nothing.

    Raises:
        ValueError: If an array is not `[K, 4]`.

    Source:
        Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 88, 2010.

    >>> pairwise_iou([[0, 0, 4, 2]], [[2, 0, 6, 2], [4, 0, 6, 2], [0, 0, 4, 2]])
    array([[0.33333333, 0.        , 1.        ]])
    """
    shared = pairwise_intersection(first, second)
    joint = box_areas(first)[:, None] + box_areas(second)[None, :] - shared
    return np.divide(shared, joint, out=np.zeros_like(shared), where=joint > 0)


def pairwise_intersection(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return the area `[N, M]` that boxes `[N, 4]` and `[M, 4]` share, in square pixels.

    Args:
        first: Boxes `[N, 4]`, xyxy.
        second: Boxes `[M, 4]`, xyxy.
    """
    rows, columns = _checked(first)[:, None], _checked(second)[None, :]  # [N, 1, 4], [1, M, 4]
    low = np.maximum(rows[..., :2], columns[..., :2])
    high = np.minimum(rows[..., 2:], columns[..., 2:])
    sides = (high - low).clip(min=0)  # [N, M, 2]
    return np.asarray(sides[..., 0] * sides[..., 1])


def clip_boxes(boxes: ArrayLike, width: float, height: float) -> Boxes:
    """Return boxes `[N, 4]` clipped to a `width` x `height` image.

    Args:
        boxes: Boxes `[N, 4]`, xyxy in pixels.
        width: Width of the image in pixels.
        height: Height of the image in pixels.
    """
    limits = np.array([width, height, width, height], np.float64)
    return np.clip(_checked(boxes), 0, limits)


def _checked(boxes: ArrayLike) -> Boxes:
    array = np.asarray(boxes, np.float64)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"boxes have shape {list(array.shape)}, expected [N, 4]")
    return array
