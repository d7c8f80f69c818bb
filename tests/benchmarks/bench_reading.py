"""What reading costs: a picture from its shard to what a step takes, and beside a training.

A step takes pictures as bytes and casts, scales and lights them itself, in one pass.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import chain, count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
import tensorflow as tf
from PIL import Image

from components.shared.contracts.annotation import Box
from components.shared.contracts.policy import TrainingPolicy
from components.shared.contracts.record import write_lines
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.network.network import build_network
from components.shared.store.objects import Objects, digest_bytes
from components.shared.store.shards import pack_shards
from components.shared.store.snapshots import ImageReader
from components.shared.vision.jpeg import decode_jpeg, decode_reduced, encode_jpeg
from components.training.train_detector.data.augment import AugmentConfig, augment
from components.training.train_detector.data.disk_cache import ROOM_BYTES, DiskCache
from components.training.train_detector.data.input_pipeline import InputPipeline
from components.training.train_detector.data.sampler import Batch, BatchSampler
from components.training.train_detector.data.split import Split
from components.training.train_detector.data.training_images import RECENT_BYTES, TrainingImages
from components.training.train_detector.learning.trainer import Trainer
from components.training.train_detector.plan.settings import TrainingSettings
from components.training.train_detector.worker.devices import use_threads
from tests.benchmarks.table import Row, at_least, at_most, interleaved

WIDTH, HEIGHT = 640, 480
INPUT = (320, 256)  # pixels: what a training at 320 pixels takes of such pictures
PHOTOS, BATCH = 64, 8
MANY = 64  # times the photos are far more than memory holds
STEPS = 8  # of a training, a round
MAX_KEPT, MAX_DECODED = 0.5, 1.1  # of the time to decode a JPEG whole
ZOOM = (TrainingSettings().zoom_out, TrainingSettings().zoom_in)


def rows() -> Iterator[Row]:
    """Measure pictures alone, then a training with and without reading."""
    use_threads(1)
    photos = [photo(seed) for seed in range(PHOTOS)]
    with TemporaryDirectory() as folder:
        read = stored(photos, Path(folder))
        # The training comes first, so that memory is as a training has left it.
        beside = list(_beside_training(photos, read, Path(folder)))
        yield from _alone(photos, read, Path(folder))
        yield from beside


def photo(seed: int) -> bytes:
    """Return a JPEG with structure of every size.

    It takes about 45 KB, as the median of highway_vehicles does for as many pixels.
    """
    rng = np.random.default_rng(seed)
    total = np.full((HEIGHT, WIDTH, 3), 128.0)
    for cells, weight in ((5, 0.4), (20, 0.23), (80, 0.3), (320, 0.3)):
        coarse = rng.normal(128, 40, (cells * 3 // 4, cells, 3)).clip(0, 255).astype(np.uint8)
        fine = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        total += weight * (np.asarray(fine, float) - 128)
    return encode_jpeg(total.clip(0, 255).astype(np.uint8), quality=69)


def stored(photos: list[bytes], folder: Path) -> Callable[[str], bytes]:
    """Put photos into shards, as a snapshot's are, and return what reads them."""
    contents = {digest_bytes(content): content for content in photos}
    objects = Objects(f"file://{folder}")
    for shard in pack_shards(contents, contents.__getitem__):
        objects.put(shard.key, shard.content)
        write_lines(shard.entries, folder / "index.jsonl")
    return ImageReader(folder / "index.jsonl", objects).read


def _pictures(
    photos: list[bytes], read: Callable[[str], bytes], cache: DiskCache, recent_bytes: int = 0
) -> TrainingImages:
    cars = tuple(
        Box(x_min=at, y_min=at, x_max=at + 60, y_max=at + 40, label="car")
        for at in range(20, 400, 40)
    )
    images = [
        SnapshotImage(
            sha256=digest_bytes(content), width=WIDTH, height=HEIGHT, camera="a", group="a",
            split="train", captured_at=datetime(2026, 1, 1, tzinfo=UTC), source_name="", boxes=cars,
        )
        for content in photos
    ]  # fmt: skip
    return TrainingImages(Split(images, read, ["car"], INPUT, cache), recent_bytes)


def _alone(photos: list[bytes], read: Callable[[str], bytes], folder: Path) -> Iterator[Row]:
    plain, mosaic = AugmentConfig(0.0, ZOOM), AugmentConfig(1.0, ZOOM)
    kept, unkept = (_pictures(photos, read, DiskCache(folder, room)) for room in (ROOM_BYTES, 0))
    decoded, first, later, kept_mosaic, unkept_mosaic, full, half = (
        1000 * seconds / PHOTOS
        for seconds in interleaved(
            partial(_look, unkept, plain),
            # A file that is empty each time: what is decoded is written, too.
            lambda: _look(_pictures(photos, read, DiskCache(folder)), plain),
            partial(_look, kept, plain),
            partial(_look, kept, mosaic),
            partial(_look, unkept, mosaic),
            lambda: [decode_jpeg(content) for content in photos],
            lambda: [decode_reduced(content, (320, 240)) for content in photos],
        )
    )
    size = f"{median(map(len, photos)) / 1000:.0f} KB"
    yield at_most(
        f"JPEG at half size, {size}", f"{half:.2f} ms CPU", f"full {full:.2f}", half / full, 1
    )
    epochs = TrainingPolicy().min_epochs
    mean = (first + (epochs - 1) * later) / epochs
    what = f"reading a picture, mosaic off, mean of a training of {epochs} epochs"
    for name, cost, most in (
        (what, mean, MAX_KEPT),
        ("the same, decoded each time", decoded, MAX_DECODED),
    ):
        against = f"JPEG decoded whole {full:.2f}"
        yield at_most(name, f"{cost:.2f} ms CPU", against, cost / full, most)
    for what, cost, against in (
        ("the same, first epoch, which decodes and writes", first, f"later ones {later:.2f}"),
        ("the same in a mosaic", kept_mosaic, f"decoded each time {unkept_mosaic:.2f}"),
    ):
        yield Row(what, f"{cost:.2f} ms CPU", against)


def _beside_training(
    photos: list[bytes], read: Callable[[str], bytes], folder: Path
) -> Iterator[Row]:
    network = build_network("nano", 1, INPUT[1], INPUT[0])
    trainer = Trainer(network, tf.distribute.OneDeviceStrategy("/cpu:0"), 100.0, TrainingSettings())
    galleries = [
        _pictures(MANY * photos, read, DiskCache(folder, room), RECENT_BYTES)
        for room in (ROOM_BYTES, 0)
    ]
    streams = [
        InputPipeline(
            gallery,
            INPUT,
            BatchSampler(len(gallery), BATCH, epochs=1000, seed=0),
            TrainingSettings(),
        )
        for gallery in galleries
    ]
    constant = list(islice(streams[0].epoch(0), STEPS))
    endless = [chain.from_iterable(map(stream.epoch, count(1))) for stream in streams]

    def learn(batches: Iterator[Batch]) -> None:
        for batch in islice(batches, len(constant)):
            trainer.step(batch, 1e-4, 1)

    constants, *real = _cpu(
        lambda: learn(iter(constant)), *(partial(learn, each) for each in endless), rounds=7
    )
    for what, seconds in zip(("decoded before", "decoded each time"), real, strict=True):
        yield at_least(
            f"training, nano, batch 8, reading pictures {what}",
            f"{seconds / len(constant):.3f} s CPU a step",
            f"constant tensors {constants / len(constant):.3f}",
            constants / seconds,
            0.92,
        )


def _look(gallery: TrainingImages, config: AugmentConfig) -> None:
    """Read and augment every picture once."""
    canvas = np.empty((INPUT[1], INPUT[0], 3), np.uint8)
    for index in range(PHOTOS):
        rng = np.random.default_rng([0, 0, index])
        augment(gallery[index], lambda number: gallery[number % PHOTOS], config, canvas, rng)


def _cpu(*sides: Callable[[], None], rounds: int = 7) -> list[float]:
    """Return the median CPU seconds of this process, all threads, of each side, in turns."""
    seconds: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds + 1):
        for side, taken in zip(sides, seconds, strict=True):
            start = process_time()
            side()
            taken.append(process_time() - start)
    return [median(taken[1:]) for taken in seconds]  # the first builds graphs, and warms up
