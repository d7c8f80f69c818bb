"""One training from its first step, or from a checkpoint, to its best weights, in every worker."""

import math
import sys
from dataclasses import dataclass
from time import monotonic

import numpy as np

from components.shared.contracts.progress import say
from components.shared.contracts.refusal import Refusal
from components.shared.network.decode import serving_function
from components.training.train_detector.data.batches import Schedule
from components.training.train_detector.data.numbered import Numbered
from components.training.train_detector.data.samples import Sample
from components.training.train_detector.data.stream import Stream
from components.training.train_detector.learning.course import Course, Outcome
from components.training.train_detector.learning.keeper import Keeper
from components.training.train_detector.learning.learner import Learner
from components.training.train_detector.learning.measure import Serve, measure
from components.training.train_detector.plan.history import Epoch
from components.training.train_detector.plan.settings import Settings

SPEAK_EVERY_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is learned from, and how.

    Attributes:
        train: Batches of the training split.
        validation: The validation split.
        classes: How many there are.
        schedule: Order, batches and epochs.
        settings: What a person chose.
        peak: Learning rate after warm-up.
    """

    train: Stream
    validation: Numbered[Sample]
    classes: int
    schedule: Schedule
    settings: Settings
    peak: float

    def rate(self, steps: int) -> float:
        """Return the learning rate after so many steps."""
        done = steps / (self.schedule.steps * self.schedule.epochs)
        return self.peak * rate_at(done, self.settings.warm_up, self.settings.last_rate)


def fit(learner: Learner, lesson: Lesson, keeper: Keeper) -> Outcome:
    """Train, and return the averaged weights that did best on the validation split.

    Args:
        learner: The network and its way to step.
        lesson: What to learn.
        keeper: Says where to begin, and keeps checkpoints.

    Raises:
        Refusal: If the loss is no number.
        Stopped: If a worker was told to leave; a checkpoint is there.
    """
    course, state = keeper.found() or (Course(), None)
    if state:
        learner.load(state)
    schedule, patience = lesson.schedule, lesson.settings.patience
    serve = serving_function(learner.model)
    progress = Progress(schedule, course.epoch * schedule.steps + course.step)
    while course.epoch < schedule.epochs and not course.outcome.out_of_patience(patience):
        for batch in lesson.train.epoch(course.epoch, first=course.step):
            done, votes = progress.steps, keeper.votes()
            losses, votes = learner.step(batch, lesson.rate(done), done, votes)
            course.take(losses)
            progress.tell(course)
            keeper.after_step(progress.steps, votes, course, learner.state)
        _close_epoch(learner, serve, lesson, course, keeper)
    keeper.close()
    return course.outcome


def _close_epoch(
    learner: Learner, serve: Serve, lesson: Lesson, course: Course, keeper: Keeper
) -> None:
    """Measure the averaged weights after an epoch, and turn to the next."""
    number, parts = course.epoch + 1, course.mean_losses()
    if not np.isfinite(parts).all():
        raise Refusal(f"the loss is {sum(parts)} in epoch {number}: lower the learning rate")
    learner.settle()
    worker = keeper.gang.index
    print(f"worker {worker}, epoch {number}: loss {sum(parts):.6f}", file=sys.stderr)
    weights = learner.show_average()  # which `serve` sees from now on
    score = measure(serve, lesson.validation, lesson.classes, keeper.gang)
    steps = number * lesson.schedule.steps
    line = _epoch(number, steps, parts, lesson.rate(steps - 1), score)
    course.close_epoch(line, weights)


def rate_at(done: float, warm_up: float, last_rate: float) -> float:
    """Return the share of the peak learning rate after a share of all steps.

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
    """Counts steps, and tells about them now and then.

    Args:
        schedule: How much there is to do.
        steps: Taken before.
    """

    def __init__(self, schedule: Schedule, steps: int) -> None:
        """Start the clock at the first step, so that building the graph does not count."""
        self.schedule = schedule
        self.steps = self.first = steps
        self.began = self.told = monotonic()

    def tell(self, course: Course) -> None:
        """Count one step; speak if the last word is some seconds old."""
        self.steps += 1
        now = monotonic()
        if self.steps == self.first + 1:
            self.began = self.told = now
        if self.schedule.worker or now - self.told < SPEAK_EVERY_S:
            return
        self.told = now
        pace = (self.steps - self.first - 1) / (now - self.began)
        left = (self.schedule.steps * self.schedule.epochs - self.steps) / pace
        map50 = course.outcome.map50
        score = "" if map50 is None else f"map50 {map50:.2f} "
        say(
            f"epoch {course.epoch + 1}/{self.schedule.epochs} loss {sum(course.mean_losses()):.2f} "
            f"{score}{pace * self.schedule.batch_size:.0f} images/s {left:.0f} s left"
        )
