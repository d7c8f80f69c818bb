"""Successive halving: choose the trials that go on to a full training; the defaults always do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.shared.contracts.errors import UserError
from components.shared.contracts.model import TrainedInfo
from components.shared.contracts.policy import TuningPolicy
from components.shared.contracts.recipe import Recipe, followed
from components.shared.contracts.report import NOT_MEASURABLE


@dataclass(frozen=True, slots=True)
class Trial:
    """One proposal of settings and the score of its short training.

    Attributes:
        recipe: Settings of the trial.
        info: Description of the trained model; None if training was refused.
        goes_on: Whether it is trained again, for longer.
    """

    recipe: Recipe
    info: TrainedInfo | None
    goes_on: bool

    @property
    def score(self) -> float:
        """Its mAP50 on the validation split; below all others if it has no model."""
        map50 = self.info.validation_map50 if self.info else None
        return -math.inf if map50 is None else map50


def narrow(
    recipes: Sequence[Recipe], infos: Sequence[TrainedInfo], policy: TuningPolicy
) -> list[Trial]:
    """Rank the trials, and mark those that go on.

    Args:
        recipes: All that were proposed, the defaults first.
        infos: All that were trained, in any order.
        policy: Share of trials that go on.

    Raises:
        UserError: If nothing was trained, or nothing can be measured.
    """
    if not infos:
        raise UserError(
            f"none of {len(recipes)} trials was trained, so there is nothing to compare"
        )
    if all(info.validation_map50 is None for info in infos):
        raise UserError(
            f"{len(infos)} trials are {NOT_MEASURABLE}, for no validation image has a box: there "
            "is nothing to compare"
        )
    by_recipe = followed(recipes, infos)
    trials = [Trial(recipe, by_recipe.get(at), False) for at, recipe in enumerate(recipes)]
    ranked = sorted(range(len(trials)), key=lambda at: (-trials[at].score, at))
    best = [at for at in ranked if trials[at].info][
        : max(1, round(len(trials) * policy.kept_share))
    ]
    return [
        Trial(trial.recipe, trial.info, at in best or (at == 0 and trial.info is not None))
        for at, trial in enumerate(trials)
    ]


def finalists(trials: Sequence[Trial], epochs: int) -> list[Recipe]:
    """Return the recipes that go on, the defaults first, with the epochs of a full training.

    Args:
        trials: Result of `narrow`.
        epochs: Epochs of a full training.
    """
    return [{**trial.recipe, "epochs": epochs} for trial in trials if trial.goes_on]
