"""Loss function of the detector: classes, boxes (CIoU) and distances (DFL), summed over a batch.

The losses and their weight are sums, so that several workers may add theirs up and divide
once: the result equals that of one worker with the whole batch.
"""

import math
from typing import NamedTuple

import tensorflow as tf

from components.shared.network.assign import TINY, assign
from components.shared.network.decode import boxes_of
from components.shared.network.network import BINS, FIRST_BIN
from components.shared.network.tensors import (
    BatchBoxes,
    BatchClasses,
    Centres,
    Outputs,
    PairBoxes,
    PairDistanceLogits,
    Scalar,
    Strides,
    Vector,
)

# With boxes weighted above classes, boxes fit more tightly and recall is the same.
CLASS_WEIGHT = 0.5
BOX_WEIGHT = 7.5
DISTANCE_WEIGHT = 1.5
MIN_SIDE_PX = 1e-3


class Loss(NamedTuple):
    """Three loss sums and their common weight, all scalars."""

    classes: Scalar
    boxes: Scalar
    distances: Scalar
    weight: Scalar

    @property
    def total(self) -> Scalar:
        """Sum of the three losses, which is differentiated."""
        return (
            CLASS_WEIGHT * self.classes + BOX_WEIGHT * self.boxes + DISTANCE_WEIGHT * self.distances
        )


def detection_loss(
    outputs: Outputs,
    centres: Centres,
    strides: Strides,
    true_boxes: BatchBoxes,
    true_classes: BatchClasses,
) -> Loss:
    """Compute the loss of the network's outputs against the true boxes.

    Args:
        outputs: `logits` `[B, A, C]` and `bins` `[B, A, 4, BINS]` of the network.
        centres: `[A, 2]` centres of the anchors in pixels.
        strides: `[A]` strides of the anchors in pixels.
        true_boxes: `[B, M, 4]` objects, xyxy in pixels of the input.
        true_classes: `[B, M]` int32, -1 where there is no object; M may be 0.

    Source:
        Feng et al., "TOOD", ICCV 2021: the quality as target of the score; Zheng et al.,
        "Distance-IoU Loss", AAAI 2020: CIoU; Li et al., "Generalized Focal Loss",
        NeurIPS 2020: the distribution of distances.
    """
    class_logits, distance_logits = outputs["logits"], outputs["bins"]
    boxes = boxes_of(distance_logits, centres, strides)
    # One empty place keeps every reduction defined on a batch without objects.
    true_boxes = tf.pad(true_boxes, [[0, 0], [0, 1], [0, 0]])
    true_classes = tf.pad(true_classes, [[0, 0], [0, 1]], constant_values=-1)
    scores, seen = tf.stop_gradient(tf.sigmoid(class_logits)), tf.stop_gradient(boxes)
    targets = assign(scores, seen, centres, strides, true_boxes, true_classes)
    wanted = tf.one_hot(targets.classes, class_logits.shape[-1]) * targets.quality[..., None]
    at = tf.where(targets.quality > 0)  # [P, 2], the anchors assigned to an object
    anchors = [tf.gather(part, at[:, 1]) for part in (centres, strides)]
    aim, quality = tf.gather_nd(targets.boxes, at), tf.gather_nd(targets.quality, at)
    overlaps = ciou(tf.gather_nd(boxes, at), aim)
    return Loss(
        classes=tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(wanted, class_logits)),
        boxes=tf.reduce_sum(quality * (1 - overlaps)),
        distances=tf.reduce_sum(
            quality * distribution_focal_loss(tf.gather_nd(distance_logits, at), aim, *anchors)
        ),
        weight=tf.reduce_sum(quality),
    )


def ciou(first: PairBoxes, second: PairBoxes) -> Vector:
    """Return the complete IoU of pairs of boxes, from about -2 to 1.

    An empty or inverted box counts as `MIN_SIDE_PX` wide, so that value and
    gradient are always finite.

    Args:
        first: `[P, 4]` xyxy in pixels.
        second: The same.

    Returns:
        `[P]`.

    Source:
        Zheng et al., "Distance-IoU Loss: Faster and Better Learning for Bounding Box
        Regression", AAAI 2020: overlap, less distance of the centres, less difference of
        the aspects, the last weighted by a factor that is not differentiated.
    """
    size_1 = tf.maximum(first[:, 2:] - first[:, :2], MIN_SIDE_PX)
    size_2 = tf.maximum(second[:, 2:] - second[:, :2], MIN_SIDE_PX)
    inner = tf.minimum(first[:, 2:], second[:, 2:]) - tf.maximum(first[:, :2], second[:, :2])
    outer = tf.maximum(first[:, 2:], second[:, 2:]) - tf.minimum(first[:, :2], second[:, :2])
    shared = tf.reduce_prod(tf.maximum(inner, 0.0), axis=1)
    union = tf.reduce_prod(size_1, axis=1) + tf.reduce_prod(size_2, axis=1) - shared
    iou = shared / tf.maximum(union, TINY)
    apart = tf.reduce_sum(
        (first[:, :2] + first[:, 2:] - second[:, :2] - second[:, 2:]) ** 2, axis=1
    )
    distance = apart / 4 / tf.maximum(tf.reduce_sum(outer**2, axis=1), TINY)
    turn = tf.atan2(size_2[:, 0], size_2[:, 1]) - tf.atan2(size_1[:, 0], size_1[:, 1])
    shape = 4 / math.pi**2 * turn**2
    weight = tf.stop_gradient(shape / tf.maximum(1 - iou + shape, TINY))
    return iou - distance - weight * shape


def distribution_focal_loss(
    distance_logits: PairDistanceLogits, boxes: PairBoxes, centres: Centres, strides: Strides
) -> Vector:
    """Return the distribution focal loss (DFL): cross entropy of distance distributions.

    Args:
        distance_logits: `[P, 4, BINS]` logits for left, top, right and bottom.
        boxes: `[P, 4]` true boxes, xyxy in pixels.
        centres: `[P, 2]` centres of the anchors in pixels.
        strides: `[P]` strides of the anchors in pixels.

    Returns:
        `[P]`, the mean over the four sides: the cross entropy with the two whole steps
        around the true distance, each by its nearness.

    Source:
        Li et al., "Generalized Focal Loss", NeurIPS 2020: distribution focal loss.
    """
    distances = tf.concat([centres - boxes[:, :2], boxes[:, 2:] - centres], axis=1)
    exact = tf.clip_by_value(distances / strides[:, None] - FIRST_BIN, 0.0, BINS - 1 - 1e-3)
    lower = tf.floor(exact)
    step = tf.cast(lower, tf.int32)
    nll = -tf.nn.log_softmax(distance_logits)
    below = tf.gather(nll, step, batch_dims=2)
    above = tf.gather(nll, step + 1, batch_dims=2)
    return tf.reduce_mean(below * (lower + 1 - exact) + above * (exact - lower), axis=1)
