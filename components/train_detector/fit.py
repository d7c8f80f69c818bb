"""One training from its first step to its best weights, as every worker goes through it."""

import math
import sys
from dataclasses import dataclass, field
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from components.contracts.progress import say
from components.contracts.refusal import Refusal
from components.detector.decode import serving_function
from components.train_detector.batches import Schedule, batches
from components.train_detector.history import Epoch
from components.train_detector.learner import Learner
from components.train_detector.measure import Serve, measure
from components.train_detector.samples import Source

WARM_UP_SHARE = 0.05  # of all steps
LAST_RATE = 0.02  # of the peak
SPEAK_EVERY_S = 3.0


@dataclass
class Outcome:
    """The best averaged weights so far, and how they came about."""

    weights: list[NDArray[np.float32]] = field(default_factory=list)
    best_epoch: int = 0
    map50: float = -1.0
    history: list[Epoch] = field(default_factory=list)

    def see(self, epoch: int, learner: Learner, serve: Serve, validation: Source) -> float:
        """Measure the averaged weights, and keep them if none did better."""
        with learner.averaged_weights() as weights:
            score = measure(serve, validation)
        if score >= self.map50:
            self.weights, self.best_epoch, self.map50 = weights, epoch + 1, score
        return score


def fit(
    learner: Learner, train: Source, validation: Source, schedule: Schedule, peak: float
) -> Outcome:
    """Train, and return the averaged weights that did best on the validation split.

    Args:
        learner: The network and its way to step.
        train: The training split.
        validation: The validation split; only the chief looks at it.
        schedule: Order, batches and epochs.
        peak: Learning rate after warm-up.
    """
    outcome, progress = Outcome(), Progress(schedule)
    serve = serving_function(learner.model)
    for epoch in range(schedule.epochs):
        losses = []
        for batch in batches(train, schedule, epoch):
            rate = peak * rate_at(progress.done)
            losses.append(learner.step(batch, rate, progress.steps))
            progress.tell(epoch, losses, outcome)
        parts = _mean(losses)
        if not np.isfinite(parts).all():
            raise Refusal(f"the loss is {sum(parts)} in epoch {epoch + 1}: lower the learning rate")
        learner.settle()
        print(
            f"worker {schedule.worker}, epoch {epoch + 1}: loss {sum(parts):.6f}", file=sys.stderr
        )
        score = None if schedule.worker else outcome.see(epoch, learner, serve, validation)
        outcome.history.append(_epoch(epoch, parts, rate, score))
    return outcome


def rate_at(done: float) -> float:
    """Return the share of the peak learning rate after a share of all steps.

    Source:
        Loshchilov and Hutter, "SGDR", ICLR 2017: the cosine.

    >>> [round(rate_at(done), 2) for done in (0, 0.025, 0.05, 0.525, 1)]
    [0.0, 0.5, 1.0, 0.51, 0.02]
    """
    if done < WARM_UP_SHARE:
        return done / WARM_UP_SHARE
    left = (1 + math.cos(math.pi * (done - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))) / 2
    return LAST_RATE + (1 - LAST_RATE) * left


def _epoch(number: int, parts: list[float], rate: float, map50: float | None) -> Epoch:
    classes, boxes, distances = parts
    return Epoch(
        epoch=number + 1,
        loss=sum(parts),
        class_loss=classes,
        box_loss=boxes,
        distance_loss=distances,
        learning_rate=rate,
        map50=map50,
    )


def _mean(losses: list[NDArray[np.float32]]) -> list[float]:
    return [float(value) for value in np.mean(losses, axis=0)]


class Progress:
    """Counts steps, and tells about them now and then.

    Args:
        schedule: How much there is to do.
    """

    def __init__(self, schedule: Schedule) -> None:
        """Start the clock at the first step, so that building the graph does not count."""
        self.schedule = schedule
        self.steps = 0
        self.began = self.told = monotonic()

    @property
    def done(self) -> float:
        """Return the share of all steps that were taken."""
        return self.steps / (self.schedule.steps * self.schedule.epochs)

    def tell(self, epoch: int, losses: list[NDArray[np.float32]], outcome: Outcome) -> None:
        """Count one step; speak if the last word is some seconds old."""
        self.steps += 1
        now = monotonic()
        if self.steps == 1:
            self.began = self.told = now
        if self.schedule.worker or now - self.told < SPEAK_EVERY_S:
            return
        self.told = now
        pace = (self.steps - 1) / (now - self.began)
        left = (self.schedule.steps * self.schedule.epochs - self.steps) / pace
        score = f"map50 {outcome.map50:.2f} " if outcome.weights else ""
        say(
            f"epoch {epoch + 1}/{self.schedule.epochs} loss {np.sum(_mean(losses)):.2f} {score}"
            f"{pace * self.schedule.batch_size:.0f} images/s {left:.0f} s left"
        )
