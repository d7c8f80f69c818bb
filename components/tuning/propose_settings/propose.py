"""Propose trials with a low-discrepancy sequence over the search space, and plan the budget.

The trials follow from the names of the settings and the seed alone.
"""

import hashlib
import math
from dataclasses import dataclass

from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import TuningPolicy
from components.shared.contracts.recipe import Recipe, Value
from components.tuning.propose_settings.space import Choice, Space

DRAWS = 100  # points looked at for each that is wanted, where many round to the same


@dataclass(frozen=True, slots=True)
class Rungs:
    """Budget of a search: short trainings of all trials, full trainings of the best.

    Attributes:
        trials: How many there are, the defaults included.
        short: Epochs of each.
        finalists: How many go on; the defaults always do.
        full: Epochs of each of those.
    """

    trials: int
    short: int
    finalists: int
    full: int

    @property
    def total(self) -> int:
        """Maximum number of epochs over all trainings."""
        return self.trials * self.short + (self.finalists + 1) * self.full

    @property
    def sentence(self) -> str:
        """The budget on one line."""
        return (
            f"{self.trials} trials of {self.short} epochs; the best {self.finalists} and the "
            f"defaults continue to {self.full} epochs; at most {self.total} in all"
        )


def rungs(trials: int, epochs: int, budget: int, policy: TuningPolicy) -> Rungs:
    """Return the budget with as many trials as it allows.

    Args:
        trials: Wanted, the defaults included.
        epochs: Epochs of a finalist.
        budget: Epochs over all trainings; 0 is no limit.
        policy: Shares of trials that go on.

    Raises:
        UserError: If there is nothing to compare, or not even two trials can be afforded.

    Source:
        Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
        Optimization", AISTATS 2016: successive halving.

    >>> rungs(9, 12, 0, TuningPolicy()).sentence
    '9 trials of 4 epochs; the best 3 and the defaults continue to 12 epochs; at most 84 in all'
    """
    for name, value, least in (("trials", trials, 2), ("epochs", epochs, 1), ("budget", budget, 0)):
        if value < least:
            raise UserError(f"{name} is {value}, expected at least {least}")
    for count in range(trials, 1, -1):
        short = max(1, round(epochs * policy.short_share))
        finalists = max(1, round(count * policy.kept_share))
        spent = Rungs(count, short, finalists, epochs)
        if not budget or spent.total <= budget:
            return spent
    raise UserError(f"budget is {budget} epochs, expected at least {spent.total} for two trials")


def propose(space: Space, trials: int, seed: int) -> list[Recipe]:
    """Return the trials: the defaults first, then points of the space.

    More trials go on where fewer ended, so that what was trained before is known.

    Args:
        space: Search space.
        trials: How many, the defaults included; fewer where there are no more.
        seed: Decides where in the space to begin.

    Source:
        Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 2012, for
        points that share no coordinate; Niederreiter, "Random Number Generation and Quasi-Monte
        Carlo Methods", 1992, for the additive recurrence that spreads them.
    """
    names = sorted(space)
    root = _root(len(names))
    steps = {name: root ** -(place + 1) for place, name in enumerate(names)}
    starts = {name: _share(f"{seed} {name}") for name in names}

    def point(number: int) -> dict[str, Value]:
        return {n: space[n].at((starts[n] + number * steps[n]) % 1) for n in names}

    wanted = min(trials - 1, size(space))
    points: list[Recipe] = []
    number = 0
    while len(points) < wanted and number < DRAWS * trials:
        number += 1
        if (found := point(number)) not in points:
            points.append(found)
    return [{}, *points]


def size(space: Space) -> float:
    """Return the number of points of a space; infinite with a range.

    >>> from components.tuning.propose_settings.space import Choice
    >>> size({"size": Choice(values=("pico", "nano")), "mosaic": Choice(values=(0, 0.5, 1))})
    6
    """
    return math.prod(
        len(set(one.values)) if isinstance(one, Choice) else math.inf for one in space.values()
    )


def _root(dimensions: int) -> float:
    """Return the root above 1 of `x^(dimensions + 1) = x + 1`: the golden ratio for one."""
    root = 2.0
    for _ in range(60):
        root = (1 + root) ** (1 / (dimensions + 1))
    return root


def _share(text: str) -> float:
    """Return a number from 0 to below 1 that follows from a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48
