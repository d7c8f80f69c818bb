"""A training step: nano, 320 px, 8 images, one thread, against the same network in stock layers.

The stock step is what a Keras user writes: a GradientTape in a `tf.function` without XLA, stock
BatchNormalization, SiLU and UpSampling2D, Keras' own AdamW with weight decay and clipping, our
loss, no average of the weights (ours keeps one). First step and memory are those of fresh
processes that do nothing but build a trainer and take steps, all imports being compiled to
bytecode before, as after any first run.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from time import process_time
from unittest import mock

from components.shared.inference.memory import peak_memory_mb
from components.training.train_detector.worker.environment import (
    ENVIRONMENT,
    import_tensorflow_slim,
)
from tests.benchmarks.table import Row, at_least, at_most, interleaved

SIZE, SIDE, IMAGES, BOXES = "nano", 320, 8, 12
Step = Callable[[], object]


def rows() -> Iterator[Row]:
    """Measure steps in this process, and first steps in others."""
    with TemporaryDirectory() as bytecode:
        fresh("float32", bytecode)
        stock = fresh("stock", bytecode)
        for precision in ("float32", "bfloat16"):
            yield from beginnings(precision, fresh(precision, bytecode), stock)
    one_thread()
    sides = [trainer_step("float32"), trainer_step("bfloat16"), stock_step()]
    full, half, stock = interleaved(*sides, clock=process_time)
    against = f"stock Keras {stock:.3f} CPU s"
    yield at_least("training step, float32", f"{full:.3f} CPU s", against, stock / full, 1.13)
    yield at_least("training step, bfloat16", f"{half:.3f} CPU s", against, stock / half, 1.40)
    sides = [trainer_step("float32", 16, parts=2), trainer_step("float32", 16)]
    parts, whole = interleaved(*sides, clock=process_time)
    yield at_most(
        "16 images in 2 parts", f"{parts:.3f} CPU s", f"at once {whole:.3f}", parts / whole, 1.03
    )


def fresh(side: str, bytecode: str) -> dict[str, float]:
    """Return what a step took from the start of its process, which is not this one.

    Args:
        side: A precision of our trainer, or `stock`.
        bytecode: A folder for compiled imports, which all processes share.
    """
    caches = {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    told = [sys.executable, "-m", "tests.benchmarks.bench_step", side]
    done = subprocess.run(
        told, check=True, stdout=subprocess.PIPE, env={**ENVIRONMENT, **os.environ, **caches}
    )
    return json.loads(done.stdout)


def beginnings(
    precision: str, ours: dict[str, float], stock: dict[str, float]
) -> Iterator[Row]:  # fmt: skip
    """Compare a fresh trainer with a fresh process that takes stock steps."""
    for what, key, unit in (
        ("start to first step", "first_step_s", "CPU s"),
        ("most memory of a trainer", "peak_mb", "MB"),
    ):
        against = f"stock Keras {stock[key]:.1f}"
        ratio = ours[key] / stock[key]
        yield at_most(f"{what}, {precision}", f"{ours[key]:.1f} {unit}", against, ratio, 1.0)


def one_thread() -> None:
    """Import TensorFlow as a worker of one thread does."""
    import_tensorflow_slim()
    from components.training.train_detector.worker.devices import use_threads

    use_threads(1)


def pictures(images: int) -> tuple:
    """Return a batch of noise with boxes in it."""
    import numpy as np

    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (images, SIDE, SIDE, 3), dtype=np.uint8)
    low = rng.uniform(0, SIDE * 0.7, (images, BOXES, 2))
    boxes = np.concatenate([low, low + rng.uniform(10, SIDE * 0.3, low.shape)], axis=-1)
    return noise, boxes.astype(np.float32), np.zeros((images, BOXES), np.int32)


def trainer_step(
    precision: str,
    images: int = IMAGES,
    parts: int = 1,
    strategy: object = None,
    **chosen: object,
) -> Step:
    """Return a step of our trainer, alone without a strategy, with settings as chosen."""
    import numpy as np
    import tensorflow as tf

    from components.shared.network.layers import computing_in
    from components.shared.network.network import build_network
    from components.training.train_detector.data.color_jitter import AS_TAKEN
    from components.training.train_detector.data.sampler import Batch
    from components.training.train_detector.learning.trainer import Trainer
    from components.training.train_detector.plan.settings import TrainingSettings

    with computing_in(precision):
        model = build_network(SIZE, 1, SIDE, SIDE)
    settings = TrainingSettings(precision=precision, accumulate=parts, **chosen)
    alone = tf.distribute.OneDeviceStrategy("/cpu:0")
    trainer = Trainer(model, strategy or alone, 100.0, settings)
    pixels, *labels = pictures(images)
    batch = Batch(pixels, np.array([AS_TAKEN.numbers] * images, np.float32), *labels)
    return lambda: trainer.step(batch, 1e-3, 10)


@contextmanager
def stock_layers() -> Iterator[None]:
    """Let networks be built of what Keras has."""
    import keras

    def norm(name: str) -> Callable[[object], object]:
        normalise = keras.layers.BatchNormalization(momentum=0.97, name=name)
        bend = keras.layers.Activation("silu")
        return lambda maps: bend(normalise(maps))

    with (
        mock.patch("components.shared.network.layers.BatchNormSilu", norm),
        mock.patch("components.shared.network.network.Upsample", keras.layers.UpSampling2D),
    ):
        yield


def stock_step() -> Step:
    """Return a step as a Keras user writes it."""
    import keras
    import tensorflow as tf

    from components.shared.network.decode import anchor_points
    from components.shared.network.loss import detection_loss
    from components.shared.network.network import build_network

    with stock_layers():
        model = build_network(SIZE, 1, SIDE, SIDE)
    adam = keras.optimizers.AdamW(1e-3, weight_decay=0.05, global_clipnorm=10.0)
    centres, strides = map(tf.constant, anchor_points(SIDE, SIDE))

    @tf.function(autograph=False)
    def step(images, boxes, classes):
        with tf.GradientTape() as tape:
            said = model(tf.cast(images, tf.float32) / 255, training=True)
            loss = detection_loss(said, centres, strides, boxes, classes)
            mean = loss.total / tf.maximum(loss.weight, 1.0)
        weights = model.trainable_variables
        adam.apply_gradients(zip(tape.gradient(mean, weights), weights, strict=True))
        return mean

    batch = pictures(IMAGES)
    return lambda: float(step(*batch))


def child(side: str) -> None:
    """Take a few steps, and say what the first took since the process began, and all memory."""
    one_thread()
    step = stock_step() if side == "stock" else trainer_step(side)
    step()
    first = process_time()
    for _ in range(10):
        step()
    print(json.dumps({"first_step_s": first, "peak_mb": peak_memory_mb()}))


if __name__ == "__main__":
    child(sys.argv[1])
