"""Task-aligned label assignment (TOOD): target box, class and quality of each anchor.

Everything is a batch: `B` images, `A` anchors, `M` places for objects of which some are
empty. No gradient flows through the assignment.
"""

from typing import NamedTuple

import tensorflow as tf

from components.shared.network.tensors import (
    AnchorPairs,
    BatchBoxes,
    BatchClasses,
    Centres,
    ClassScores,
    Strides,
    Tensor,
)

CANDIDATES = 10  # anchors for each object
SCORE_POWER = 0.5
OVERLAP_POWER = 6.0
TINY = 1e-9


class Targets(NamedTuple):
    """Targets of each anchor."""

    boxes: BatchBoxes  # [B, A, 4] xyxy in pixels; anything where `quality` is 0
    classes: BatchClasses  # [B, A] int32
    quality: Tensor  # [B, A] from 0, background, to 1


def pairwise_iou(first: BatchBoxes, second: BatchBoxes) -> Tensor:
    """Return the overlap of every pair: `[B, N, 4]` and `[B, M, 4]` give `[B, N, M]`.

    Args:
        first: Boxes `[B, N, 4]`, xyxy.
        second: Boxes `[B, M, 4]`, xyxy.
    """
    low = tf.maximum(first[:, :, None, :2], second[:, None, :, :2])
    high = tf.minimum(first[:, :, None, 2:], second[:, None, :, 2:])
    shared = tf.reduce_prod(tf.maximum(high - low, 0.0), axis=-1)
    union = _area(first)[:, :, None] + _area(second)[:, None, :] - shared
    return shared / tf.maximum(union, TINY)


def _area(boxes: BatchBoxes) -> Tensor:
    return tf.reduce_prod(tf.maximum(boxes[..., 2:] - boxes[..., :2], 0.0), axis=-1)


def is_inside(centres: Centres, strides: Strides, boxes: BatchBoxes) -> AnchorPairs:
    """Return which anchors lie in which boxes, as bool `[B, M, A]`.

    A box narrower than two of the finest strides has hardly a centre inside; there it
    counts as that wide, so that a few anchors are candidates.

    Args:
        centres: Centres `[A, 2]` of the anchors in pixels.
        strides: Strides `[A]` of the anchors in pixels.
        boxes: True boxes `[B, M, 4]`, xyxy in pixels.
    """
    finest = tf.reduce_min(strides)
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    half = tf.maximum((boxes[..., 2:] - boxes[..., :2]) / 2, finest)
    away = tf.abs(centres[None, None] - middle[:, :, None])
    return tf.reduce_all(away <= half[:, :, None], axis=-1)


def assign(
    scores: ClassScores,
    boxes: BatchBoxes,
    centres: Centres,
    strides: Strides,
    true_boxes: BatchBoxes,
    true_classes: BatchClasses,
) -> Targets:
    """Assign each object to the anchors with the best product of score and overlap.

    Args:
        scores: `[B, A, C]` predicted, from 0 to 1.
        boxes: `[B, A, 4]` predicted, xyxy in pixels.
        centres: `[A, 2]` centres of the anchors in pixels.
        strides: `[A]` strides of the anchors in pixels.
        true_boxes: `[B, M, 4]` objects, xyxy in pixels.
        true_classes: `[B, M]` int32, -1 where there is no object.

    Returns:
        Targets of each anchor. An anchor is assigned to one object at most: of those that
        selected it the one with the largest IoU, at a tie the first. The quality of an
        object's best anchor is its IoU. Anchors with equal agreement are all selected.

    Source:
        Feng et al., "TOOD: Task-aligned One-stage Object Detection", ICCV 2021.
    """
    present = (true_classes >= 0)[:, :, None]
    overlap = pairwise_iou(true_boxes, boxes)  # [B, M, A]
    picked = tf.gather(
        tf.transpose(scores, [0, 2, 1]), tf.maximum(true_classes, 0), axis=1, batch_dims=1
    )
    allowed = tf.cast(present & is_inside(centres, strides, true_boxes), tf.float32)
    agreement = allowed * picked**SCORE_POWER * (overlap + 1e-3) ** OVERLAP_POWER
    chosen = best_of_each(agreement) & (allowed > 0)
    return _resolve_conflicts(chosen, agreement, overlap, true_boxes, true_classes)


def best_of_each(agreement: AnchorPairs) -> AnchorPairs:
    """Return a mask of the `CANDIDATES` largest values in each row of `[B, M, A]`."""
    count = min(CANDIDATES, agreement.shape[-1])
    least = tf.math.top_k(agreement, count, sorted=True).values[..., -1:]
    return (agreement >= least) & (agreement > 0)


def _resolve_conflicts(
    chosen: AnchorPairs,
    agreement: AnchorPairs,
    overlap: AnchorPairs,
    true_boxes: BatchBoxes,
    true_classes: BatchClasses,
) -> Targets:
    claims = tf.where(chosen, overlap + 1.0, 0.0)
    owner = tf.argmax(claims, axis=1, output_type=tf.int32)  # [B, A]
    owned = tf.reduce_max(claims, axis=1) > 0
    mine = tf.one_hot(owner, tf.shape(overlap)[1], axis=1) * tf.cast(owned, tf.float32)[:, None]
    kept = agreement * mine
    best_agreement = tf.reduce_max(kept, axis=2, keepdims=True)
    best_overlap = tf.reduce_max(overlap * mine, axis=2, keepdims=True)
    quality = tf.math.divide_no_nan(kept, best_agreement) * best_overlap
    return Targets(
        boxes=tf.gather(true_boxes, owner, axis=1, batch_dims=1),
        classes=tf.maximum(tf.gather(true_classes, owner, axis=1, batch_dims=1), 0),
        quality=tf.reduce_max(quality, axis=1),
    )
