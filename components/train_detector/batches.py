"""Which pictures are learned from together follows from seed, epoch and position alone."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.train_detector.augment import augment
from components.train_detector.samples import Sample, Source

MOSAIC = 0.5  # chance, until the last part of a training
PLAIN_SHARE = 0.2  # of the epochs, at the end, that see whole pictures only


class Batch(NamedTuple):
    """Pictures uint8 `[B, h, w, 3]`, boxes `[B, M, 4]`, classes `[B, M]` with -1 for none."""

    images: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The order of one worker's batches.

    Args:
        images: Images of the training split.
        batch_size: Images a step, over all workers.
        epochs: Passes over the split.
        seed: Decides order and looks.
        worker: Which share of each batch is ours.
        workers: How many share it.
    """

    images: int
    batch_size: int
    epochs: int
    seed: int
    worker: int = 0
    workers: int = 1

    @property
    def steps(self) -> int:
        """Return steps of an epoch; what does not fill a batch waits for another epoch."""
        return max(1, self.images // self.batch_size)

    def mosaic(self, epoch: int) -> float:
        """Return the chance of a mosaic in an epoch, which counts from 0."""
        return MOSAIC if epoch < self.epochs * (1 - PLAIN_SHARE) else 0.0

    def indices(self, epoch: int) -> list[list[int]]:
        """Return which images each step of this worker takes in an epoch."""
        order = np.random.default_rng([self.seed, epoch]).permutation(self.images)
        order = np.resize(order, (self.steps, self.batch_size))
        return [[int(index) for index in row] for row in order[:, self.worker :: self.workers]]


def batches(samples: Source, schedule: Schedule, epoch: int) -> Iterator[Batch]:
    """Yield the batches of an epoch, the next one being made while one is used."""

    def make(indices: list[int]) -> Batch:
        return collate([_look(index) for index in indices])

    def _look(index: int) -> Sample:
        rng = np.random.default_rng([schedule.seed, epoch, index])
        return augment(samples, index, schedule.mosaic(epoch), rng)

    with ThreadPoolExecutor(1) as background:
        coming = None
        for indices in schedule.indices(epoch):
            ready, coming = coming, background.submit(make, indices)
            if ready:
                yield ready.result()
        if coming:
            yield coming.result()


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples, with room for as many boxes as the fullest of them has."""
    most = max((len(sample.boxes) for sample in samples), default=0)
    boxes = np.zeros((len(samples), most, 4), np.float32)
    classes = np.full((len(samples), most), -1, np.int32)
    for row, sample in enumerate(samples):
        boxes[row, : len(sample.boxes)] = sample.boxes
        classes[row, : len(sample.classes)] = sample.classes
    return Batch(np.stack([sample.image for sample in samples]), boxes, classes)
