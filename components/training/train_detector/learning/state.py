"""Training state: epoch, step, losses, best weights and early stopping."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from components.training.train_detector.plan.history import Epoch


@dataclass
class BestWeights:
    """The best EMA weights so far, and the history up to now.

    Without a box in the validation split no epoch is better than another: the last one counts.
    """

    weights: list[NDArray[np.float32]] = field(default_factory=list)
    best_epoch: int = 0
    map50: float | None = None
    history: list[Epoch] = field(default_factory=list)

    def should_stop_early(self, patience: int) -> bool:
        """Return whether `patience` epochs passed without an improvement; never if it is 0.

        >>> BestWeights(best_epoch=1, history=[...] * 3).should_stop_early(2)
        True
        """
        return 0 < patience <= len(self.history) - self.best_epoch


@dataclass
class TrainingState:
    """Position in a training: epoch, step, losses of the epoch, best weights.

    Attributes:
        epoch: The running one, from 0.
        step: Steps taken in it.
        losses: Of each of them, `[3]`.
        outcome: Best weights of the epochs before.
    """

    epoch: int = 0
    step: int = 0
    losses: list[NDArray[np.float32]] = field(default_factory=list)
    outcome: BestWeights = field(default_factory=BestWeights)

    def add_step(self, losses: NDArray[np.float32]) -> None:
        """Count one step."""
        self.step += 1
        self.losses.append(losses)

    def mean_losses(self) -> list[float]:
        """Return the losses of class, box and distances over the running epoch."""
        return [float(value) for value in np.mean(self.losses, axis=0)]

    def close_epoch(self, line: Epoch, weights: list[NDArray[np.float32]]) -> None:
        """Begin the next epoch, and keep this one's weights if they are the best.

        Args:
            line: Metrics of the epoch, with its `map50`.
            weights: Averaged, that were measured.
        """
        outcome = self.outcome
        outcome.history.append(line)
        if line.map50 is None or outcome.map50 is None or line.map50 >= outcome.map50:
            outcome.weights, outcome.best_epoch, outcome.map50 = weights, line.epoch, line.map50
        self.epoch, self.step, self.losses = self.epoch + 1, 0, []
