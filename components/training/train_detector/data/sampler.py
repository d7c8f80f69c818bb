"""Sample the images of each worker's batches from seed, epoch and step; pad their labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOSAIC_CANDIDATES = 64  # images, at least, among which a mosaic chooses


class Batch(NamedTuple):
    """Input of one worker in one step.

    Attributes:
        images: uint8 `[B, h, w, 3]`, RGB, before color jitter.
        jitters: `[B, 7]`, as `color_jitter.apply_color_jitter` takes them.
        boxes: `[B, M, 4]` as xyxy in pixels.
        classes: `[B, M]`, -1 for none.
    """

    images: NDArray[np.uint8]
    jitters: NDArray[np.float32]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class BatchSampler:
    """Order of one worker's batches.

    Args:
        images: Images of the training split.
        batch_size: Images a step, over all workers.
        epochs: Passes over the split.
        seed: Decides order and looks.
        worker: Which share of each batch is ours.
        workers: Number of workers.
    """

    images: int
    batch_size: int
    epochs: int
    seed: int
    worker: int = 0
    workers: int = 1

    @property
    def steps(self) -> int:
        """Return the steps of an epoch; a last incomplete batch is left out."""
        return max(1, self.images // self.batch_size)

    def indices(self, epoch: int) -> list[list[int]]:
        """Return the image indices of each step of this worker in an epoch."""
        share = self._order(epoch)[:, self.worker :: self.workers]
        return [[int(index) for index in row] for row in share]

    def mosaic_candidates(self, epoch: int) -> list[list[int]]:
        """Return for each step the images, of all workers, that its mosaics may use.

        They are those of the steps around it: as random as any others, and at hand.
        """
        order = self._order(epoch)
        rows = -(-MOSAIC_CANDIDATES // self.batch_size)
        blocks = [order[start : start + rows] for start in range(0, self.steps, rows)]
        return [block.ravel().tolist() for block in blocks for _ in block]

    def _order(self, epoch: int) -> NDArray[np.int64]:
        order = np.random.default_rng([self.seed, epoch]).permutation(self.images)
        return np.resize(order, (self.steps, self.batch_size))


def pad(
    labels: Sequence[tuple[NDArray[np.float32], NDArray[np.int32]]],
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Stack the boxes and classes of images, padded to the largest number of boxes.

    The memory of a step grows with that room times the anchors: `settings.MAX_BOXES` bounds it.
    """
    most = max((len(boxes) for boxes, _ in labels), default=0)
    boxes = np.zeros((len(labels), most, 4), np.float32)
    classes = np.full((len(labels), most), -1, np.int32)
    for row, (here, kinds) in enumerate(labels):
        boxes[row, : len(here)] = here
        classes[row, : len(kinds)] = kinds
    return boxes, classes
