"""Training loop of one worker: steps, learning rate schedule, validation, early stopping.

It begins at the first step or at a checkpoint, and ends with the best EMA weights.
"""

import math
import sys
from dataclasses import dataclass
from time import monotonic

import numpy as np

from components.shared.contracts.errors import UserError
from components.shared.contracts.progress import log_progress
from components.shared.network.decode import serving_function
from components.shared.network.tensors import Serve
from components.training.train_detector.data.input_pipeline import InputPipeline
from components.training.train_detector.data.sampler import BatchSampler
from components.training.train_detector.data.split import MapDataset
from components.training.train_detector.data.validation_images import ValidationImage
from components.training.train_detector.learning.checkpointing import CheckpointCoordinator
from components.training.train_detector.learning.state import BestWeights, TrainingState
from components.training.train_detector.learning.trainer import Trainer
from components.training.train_detector.learning.validate import validate
from components.training.train_detector.plan.history import Epoch
from components.training.train_detector.plan.settings import TrainingSettings

LOG_EVERY_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSetup:
    """Data, batch order and settings of a training.

    Attributes:
        train: Batches of the training split.
        validation: The validation split.
        classes: Number of classes.
        schedule: Order, batches and epochs.
        settings: Hyperparameters.
        peak: Learning rate after warm-up.
    """

    train: InputPipeline
    validation: MapDataset[ValidationImage]
    classes: int
    schedule: BatchSampler
    settings: TrainingSettings
    peak: float

    def rate(self, steps: int) -> float:
        """Return the learning rate after a number of steps."""
        done = steps / (self.schedule.steps * self.schedule.epochs)
        return self.peak * rate_at(done, self.settings.warm_up, self.settings.last_rate)


def fit(trainer: Trainer, setup: TrainingSetup, coordinator: CheckpointCoordinator) -> BestWeights:
    """Train, and return the EMA weights with the best mAP50 on the validation split.

    Args:
        trainer: The network and its way to step.
        setup: Data, batch order and settings.
        coordinator: Says where to begin, and keeps checkpoints.

    Raises:
        UserError: If the loss is no number.
        Stopped: If a worker was told to leave; a checkpoint is there.
    """
    state, variables = coordinator.restore_common() or (TrainingState(), None)
    if variables:
        trainer.load(variables)
    schedule, patience = setup.schedule, setup.settings.patience
    serve = serving_function(trainer.model)
    progress = Progress(schedule, state.epoch * schedule.steps + state.step)
    while state.epoch < schedule.epochs and not state.outcome.should_stop_early(patience):
        for batch in setup.train.epoch(state.epoch, first=state.step):
            done, votes = progress.steps, coordinator.votes()
            losses, votes = trainer.step(batch, setup.rate(done), done, votes)
            state.add_step(losses)
            progress.log(state)
            coordinator.after_step(progress.steps, votes, state, trainer.state)
        _close_epoch(trainer, serve, setup, state, coordinator)
    coordinator.close()
    return state.outcome


def _close_epoch(
    trainer: Trainer,
    serve: Serve,
    setup: TrainingSetup,
    state: TrainingState,
    coordinator: CheckpointCoordinator,
) -> None:
    """Measure the averaged weights after an epoch, and turn to the next."""
    number, parts = state.epoch + 1, state.mean_losses()
    if not np.isfinite(parts).all():
        raise UserError(f"the loss is {sum(parts)} in epoch {number}: lower the learning rate")
    trainer.sync_batch_norm()
    worker = coordinator.group.index
    print(f"worker {worker}, epoch {number}: loss {sum(parts):.6f}", file=sys.stderr)
    weights = trainer.use_ema_weights()  # `serve` uses these variables
    score = validate(serve, setup.validation, setup.classes, coordinator.group)
    steps = number * setup.schedule.steps
    line = _epoch(number, steps, parts, setup.rate(steps - 1), score)
    state.close_epoch(line, weights)


def rate_at(done: float, warm_up: float, last_rate: float) -> float:
    """Return the learning rate, as a share of its peak, at a fraction of all steps.

    Args:
        done: Fraction of all steps, 0 to 1.
        warm_up: Fraction of all steps with a rising rate.
        last_rate: Final rate as a share of the peak.

    Source:
        Loshchilov and Hutter, "SGDR", ICLR 2017: the cosine.

    >>> [round(rate_at(done, 0.05, 0.02), 2) for done in (0, 0.025, 0.05, 0.525, 1)]
    [0.0, 0.5, 1.0, 0.51, 0.02]
    """
    if done < warm_up:
        return done / warm_up
    left = (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up))) / 2
    return last_rate + (1 - last_rate) * left


def _epoch(number: int, steps: int, parts: list[float], rate: float, map50: float | None) -> Epoch:
    classes, boxes, distances = parts
    return Epoch(
        epoch=number,
        step=steps,
        loss=sum(parts),
        class_loss=classes,
        box_loss=boxes,
        distance_loss=distances,
        learning_rate=rate,
        map50=map50,
    )


class Progress:
    """Counts steps, and prints progress lines from time to time.

    The clock starts after the first step, so that building the graph does not count.

    Args:
        schedule: How much there is to do.
        steps: Taken before.
    """

    def __init__(self, schedule: BatchSampler, steps: int) -> None:
        self.schedule = schedule
        self.steps = self.first = steps
        self.began = self.logged_at = monotonic()

    def log(self, state: TrainingState) -> None:
        """Count one step, and print a line if the last one is some seconds old."""
        self.steps += 1
        now = monotonic()
        if self.steps == self.first + 1:
            self.began = self.logged_at = now
        if self.schedule.worker or now - self.logged_at < LOG_EVERY_S:
            return
        self.logged_at = now
        pace = (self.steps - self.first - 1) / (now - self.began)
        left = (self.schedule.steps * self.schedule.epochs - self.steps) / pace
        map50 = state.outcome.map50
        score = "" if map50 is None else f"mAP50 {map50:.2f}, "
        log_progress(
            f"epoch {state.epoch + 1}/{self.schedule.epochs}, loss {sum(state.mean_losses()):.2f}, "
            f"{score}{pace * self.schedule.batch_size:.0f} images/s, {left:.0f} s left"
        )
