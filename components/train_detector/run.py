"""From a plan to the files of a trained model, in one worker."""

import keras  # type: ignore[import-untyped]
import numpy as np
import tensorflow as tf  # type: ignore[import-untyped]

from components.contracts.events import Split
from components.contracts.model import TrainedInfo, TrainedLayout
from components.contracts.record import write_lines
from components.detector.network import build_network
from components.detector.restore import save_weights
from components.store.objects import Objects
from components.store.snapshots import SnapshotReader
from components.train_detector.batches import Schedule
from components.train_detector.fit import Outcome, fit
from components.train_detector.learner import Learner
from components.train_detector.plan import Plan, PlanLayout
from components.train_detector.samples import ROOM_BYTES, Samples
from components.train_detector.warm import warm

WARM_RATE = 0.3  # of the learning rate, when the weights already know something


def run(
    layout: PlanLayout,
    plan: Plan,
    objects: Objects,
    strategy: tf.distribute.Strategy,
    index: int,
) -> None:
    """Train one worker's part; worker 0 writes the outcome to `layout.trained`."""
    settings, info, workers = plan.settings, plan.info, plan.settings.workers
    reader = SnapshotReader(layout.snapshot, objects)
    train, validation = (
        _samples(reader, split, info, workers) for split in ("train", "validation")
    )
    schedule = Schedule(len(train), settings.batch_size, plan.epochs, settings.seed, index, workers)
    keras.utils.set_random_seed(settings.seed)
    model = build_network(info.size, len(info.classes), info.image_height, info.image_width)
    heir = layout.warm.exists()
    if heir:
        warm(model, info.classes, layout.warm)
    rate = settings.learning_rate * (WARM_RATE if heir else 1.0)
    horizon = float(np.clip(schedule.steps * schedule.epochs / 20, 10, 2000))
    outcome = fit(Learner(model, strategy, horizon), train, validation, schedule, rate)
    if index == 0:
        _write(model, outcome, plan, TrainedLayout(layout.trained))


def _samples(reader: SnapshotReader, split: Split, info: TrainedInfo, workers: int) -> Samples:
    size = (info.image_width, info.image_height)
    images = reader.images(split)
    return Samples(images, reader.read, info.classes, size, ROOM_BYTES // (2 * workers))


def _write(model: keras.Model, outcome: Outcome, plan: Plan, layout: TrainedLayout) -> None:
    """Write the description last: it says that the rest is there."""
    layout.root.mkdir(parents=True, exist_ok=True)
    model.set_weights(outcome.weights)
    save_weights(model, layout.weights)
    write_lines(outcome.history, layout.history)
    changes = {"best_epoch": outcome.best_epoch, "validation_map50": outcome.map50}
    plan.info.model_copy(update=changes).write(layout.info)
