"""Run a plan in one worker: build data, network and trainer, train, and write the model's files."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from components.shared.contracts.model import TrainedLayout
from components.shared.contracts.progress import log_progress
from components.shared.contracts.record import write_lines
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.contracts.stopping import stop_event_on_sigterm
from components.shared.network.layers import computing_in
from components.shared.network.network import build_network
from components.shared.network.restore import save_weights
from components.shared.store.objects import Objects
from components.shared.store.snapshots import SnapshotReader
from components.training.train_detector.data.disk_cache import DiskCache
from components.training.train_detector.data.input_pipeline import InputPipeline
from components.training.train_detector.data.sampler import BatchSampler
from components.training.train_detector.data.split import Split, from_afar
from components.training.train_detector.data.training_images import TrainingImages
from components.training.train_detector.data.validation_images import ValidationImages
from components.training.train_detector.learning.checkpoint import Checkpoints
from components.training.train_detector.learning.checkpointing import CheckpointCoordinator
from components.training.train_detector.learning.fit import TrainingSetup, fit
from components.training.train_detector.learning.state import BestWeights
from components.training.train_detector.learning.trainer import Trainer
from components.training.train_detector.learning.warm_start import load_matching_weights
from components.training.train_detector.learning.worker_group import WorkerGroup
from components.training.train_detector.plan.plan import Plan, PlanLayout, learnable
from components.training.train_detector.plan.settings import MAX_BOXES
from components.training.train_detector.report.tensorboard import write_events

WARM_RATE = 0.3  # of the learning rate, when the weights already know something


def run(
    layout: PlanLayout,
    plan: Plan,
    objects: Objects,
    checkpoints: Checkpoints,
    strategy: tf.distribute.Strategy,
    index: int,
) -> None:
    """Train one worker's part; worker 0 writes the outcome to `layout.trained`.

    Args:
        layout: Input and output files of the worker.
        plan: The training.
        objects: Store of the snapshot's shards.
        checkpoints: Storage of this worker's checkpoints.
        strategy: Distribution over workers.
        index: Number of this worker; 0 is the chief.

    Raises:
        UserError: If the plan cannot be followed.
        Stopped: If a worker was told to leave; checkpoints are there.
    """
    settings, info = plan.settings, plan.info
    keras.utils.set_random_seed(settings.seed)
    with computing_in(settings.precision):
        model = build_network(info.size, len(info.classes), info.image_height, info.image_width)
    if layout.warm.exists():
        load_matching_weights(model, info.classes, layout.warm)
    setup = _setup(layout, plan, objects, index)
    steps = setup.schedule.steps * setup.schedule.epochs
    horizon = float(np.clip(steps * settings.average, 10, 2000))
    with stop_event_on_sigterm() as stop:
        group = WorkerGroup(strategy, index)
        coordinator = CheckpointCoordinator(checkpoints, group, settings.checkpoint_s, stop)
        outcome = fit(Trainer(model, strategy, horizon, settings), setup, coordinator)
    if index == 0:
        _write(model, outcome, plan, TrainedLayout(layout.trained))


def _setup(layout: PlanLayout, plan: Plan, objects: Objects, index: int) -> TrainingSetup:
    """Return data, batch order and settings of one worker."""
    settings, info = plan.settings, plan.info
    reader = SnapshotReader(layout.snapshot, objects)
    size = (info.image_width, info.image_height)
    listed, validation = reader.images("train"), reader.images("validation")
    train = learnable(listed)
    if index == 0 and len(train) < len(listed):
        left = len(listed) - len(train)
        log_progress(f"{left} of {len(listed)} images left out: more than {MAX_BOXES:,} boxes each")
    near = objects.url.startswith("file://")
    jpegs = DiskCache(layout.root)
    schedule = BatchSampler(
        len(train), settings.batch_size, plan.epochs, settings.seed, index, settings.workers
    )

    def split(images: Sequence[SnapshotImage]) -> Split:
        cache = DiskCache(layout.root)
        read = reader.read if near else from_afar(reader.read, cache, jpegs)
        return Split(images, read, info.classes, size, cache)

    return TrainingSetup(
        train=InputPipeline(TrainingImages(split(train)), size, schedule, settings),
        validation=ValidationImages(split(validation)),
        classes=len(info.classes),
        schedule=schedule,
        settings=settings,
        peak=settings.learning_rate * (WARM_RATE if layout.warm.exists() else 1.0),
    )


def _write(model: keras.Model, outcome: BestWeights, plan: Plan, layout: TrainedLayout) -> None:
    """Write the description last: it says that the rest is there."""
    layout.root.mkdir(parents=True, exist_ok=True)
    model.set_weights(outcome.weights)
    save_weights(model, layout.weights)
    write_lines(outcome.history, layout.history)
    write_events(outcome.history, layout.events)
    changes = {"best_epoch": outcome.best_epoch, "validation_map50": outcome.map50}
    plan.info.model_copy(update=changes).write(layout.info)
