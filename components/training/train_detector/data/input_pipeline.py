"""Data loader: make training batches in background threads with `tf.data`, deterministically.

Order and augmentation follow from seed and epoch.
"""

import atexit
from collections.abc import Callable, Generator, Iterator
from functools import lru_cache
from weakref import WeakSet

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.shared.network.tensors import Scalar, Tensor
from components.training.train_detector.data.augment import AugmentConfig, AugmentedImage, augment
from components.training.train_detector.data.sampler import Batch, BatchSampler, pad
from components.training.train_detector.data.split import MapDataset
from components.training.train_detector.data.training_images import TrainingImage
from components.training.train_detector.plan.settings import TrainingSettings

READERS = 2  # batches that are made at once
AHEAD = 2  # batches that wait

Make = Callable[[int], Batch]
NO_BATCH = Batch(
    np.zeros(0, np.uint8), np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32)
)
TYPES = [array.dtype for array in NO_BATCH]

_opened: WeakSet[Generator[Batch]] = WeakSet()  # by this process


@atexit.register
def _close_all() -> None:
    """Close all pipelines before the interpreter's shutdown, which waits for their threads."""
    for batches in list(_opened):
        batches.close()


class InputPipeline:
    """Batches of one worker, epoch by epoch.

    What an epoch gives from a step on is the same bytes whatever came before, in any
    process, with any number of readers.

    Args:
        gallery: All pictures of the training split.
        size: Width and height of the network's input in pixels.
        schedule: Which pictures each step of this worker takes.
        settings: How pictures are looked at.
        readers: Batches that are made at once.
    """

    def __init__(
        self,
        gallery: MapDataset[TrainingImage],
        size: tuple[int, int],
        schedule: BatchSampler,
        settings: TrainingSettings,
        readers: int = READERS,
    ) -> None:
        self._gallery = gallery
        self._size = size
        self._schedule = schedule
        self._settings = settings
        self._readers = readers
        self._rows = lru_cache(maxsize=2)(self._rows_of)
        self._at = -1  # which of all batches the open one gives next
        self._open = self._batches(0)

    def epoch(self, number: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 0, beginning at a step.

        Those of the next epoch are begun before they are asked for.

        Args:
            number: Epoch, from 0.
            first: First step, from 0.

        Raises:
            UserError: If a picture cannot be read or decoded, when its batch's turn comes.
        """
        steps = self._schedule.steps
        for at in range(number * steps + first, (number + 1) * steps):
            if self._at != at:
                self._open = self._batches(at)
                _opened.add(self._open)
            self._at = -1  # until we know that it goes on
            batch = next(self._open)
            self._at = at + 1
            yield batch

    def _batches(self, first: int) -> Generator[Batch]:
        function = BatchFunction(self._batch)
        dataset = (
            tf.data.Dataset.range(first, self._schedule.epochs * self._schedule.steps)
            .map(function.in_graph, num_parallel_calls=self._readers, deterministic=True)
            .prefetch(AHEAD)
            .with_options(_threads_apart(self._readers))
        )
        for number, batch in enumerate(dataset.as_numpy_iterator(), first):
            function.check(number)
            yield Batch(*batch)

    def _rows_of(self, epoch: int) -> list[tuple[list[int], list[int]]]:
        schedule = self._schedule
        return list(zip(schedule.indices(epoch), schedule.mosaic_candidates(epoch), strict=True))

    def _batch(self, number: int) -> Batch:
        """Make one batch, of all from the first epoch's first."""
        epoch, step = divmod(number, self._schedule.steps)
        indices, mosaic_candidates = self._rows(epoch)[step]
        width, height = self._size
        images = np.empty((len(indices), height, width, 3), np.uint8)
        config = self._config(epoch)

        def other(number: int) -> TrainingImage:
            return self._gallery[mosaic_candidates[number % len(mosaic_candidates)]]

        def augmented(index: int, canvas: NDArray[np.uint8]) -> AugmentedImage:
            rng = np.random.default_rng([self._schedule.seed, epoch, index])
            return augment(self._gallery[index], other, config, canvas, rng)

        views = [augmented(*one) for one in zip(indices, images, strict=True)]
        jitters = np.array([one.jitter.numbers for one in views], np.float32)
        return Batch(images, jitters, *pad([(one.boxes, one.classes) for one in views]))

    def _config(self, epoch: int) -> AugmentConfig:
        settings = self._settings
        plain = epoch >= self._schedule.epochs * (1 - settings.plain)
        return AugmentConfig(
            0.0 if plain else settings.mosaic, (settings.zoom_out, settings.zoom_in)
        )


class BatchFunction:
    """Make batches inside a `tf.data` graph, and keep exceptions to raise them outside of it.

    An error that passes through a graph comes out as another one, with its stack as text.

    Args:
        make: Returns a batch by its number.
    """

    def __init__(self, make: Make) -> None:
        self._make = make
        self._failed: dict[int, BaseException] = {}

    # What autograph converts leaves a file behind when a process is killed.
    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def in_graph(self, number: Scalar) -> list[Tensor]:
        """Return a batch as tensors, by its number as a tensor."""
        batch: list[Tensor] = tf.numpy_function(self._guarded, [number], TYPES)
        return batch

    def check(self, number: int) -> None:
        """Raise the exception of a batch, if it failed."""
        if number in self._failed:
            raise self._failed[number]

    def _guarded(self, number: np.int64) -> Batch:
        try:
            return self._make(int(number))
        except BaseException as error:  # it is raised again, where it can be read
            self._failed[int(number)] = error
            return NO_BATCH


def _threads_apart(readers: int) -> tf.data.Options:
    """Return options by which a step of the training never waits for a thread that reads."""
    options = tf.data.Options()
    options.threading.private_threadpool_size = readers
    options.autotune.enabled = False
    return options
