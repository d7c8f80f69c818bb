"""Pick the settings whose model is significantly better than that of the defaults."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.shared.contracts.change_text import gain_text
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageInfo
from components.shared.contracts.policy import TuningPolicy
from components.shared.contracts.recipe import Recipe, followed
from components.shared.contracts.report import ModelReport, Report


@dataclass(frozen=True, slots=True)
class Finalist:
    """One recipe that was trained in full.

    Attributes:
        number: Its place among those, from 0 for the defaults.
        recipe: Settings of the finalist.
        model: The numbers of what would be served; None if there is no such model.
    """

    number: int
    recipe: Recipe
    model: ModelReport | None

    @property
    def score(self) -> float:
        """Its mAP50-95; below all others if there is no model."""
        return self.model.rank if self.model else -math.inf


@dataclass(frozen=True, slots=True)
class Pick:
    """Result of a search.

    Attributes:
        finalists: All of them.
        winner: The best of them; the defaults if no other is better by enough.
        reason: A sentence with the numbers.
    """

    finalists: tuple[Finalist, ...]
    winner: Finalist
    reason: str

    @property
    def recipe(self) -> Recipe:
        """The recipe of the winner, without its number of epochs."""
        return {name: value for name, value in self.winner.recipe.items() if name != "epochs"}


def pick(
    recipes: Sequence[Recipe],
    packages: Sequence[PackageInfo],
    reports: Sequence[Report],
    policy: TuningPolicy,
) -> Pick:
    """Compare the models of all finalists.

    Args:
        recipes: Recipes of the finalists.
        packages: Those of their models that could be exported, in any order.
        reports: Of their models, in any order, each as `from_scratch`.
        policy: Margin of a winner.

    Raises:
        UserError: If a report is not of the validation split, or there are no numbers at all.
    """
    for report in reports:
        if report.split != "validation":
            raise UserError(f"a report is of the {report.split} split, expected validation")
    numbers = {m.model: m for report in reports for m in report.models if m.role == "from_scratch"}
    found = {at: numbers.get(made.digest) for at, made in followed(recipes, packages).items()}
    finalists = tuple(Finalist(at, recipe, found.get(at)) for at, recipe in enumerate(recipes))
    return _best(finalists, policy)


def _best(finalists: tuple[Finalist, ...], policy: TuningPolicy) -> Pick:
    fit = [one for one in finalists if one.score >= 0 and _quick(one, policy)]
    if not fit:
        raise UserError(f"none of {len(finalists)} finalists has metrics and is fast enough")
    best = max(fit, key=lambda one: (one.score, -one.number))
    defaults = next((one for one in finalists if set(one.recipe) == {"epochs"}), None)
    if defaults is None or defaults not in fit:
        return Pick(finalists, best, f"new settings: mAP50-95 {best.score:.3f}, defaults have none")
    gain = best.score - defaults.score
    if best is defaults or round(gain, 9) < policy.min_gain:
        return Pick(
            finalists, defaults,
            f"defaults kept: mAP50-95 {defaults.score:.3f}, {_others(fit, defaults, policy)}",
        )  # fmt: skip
    return Pick(
        finalists, best,
        f"new settings: mAP50-95 {best.score:.3f}, defaults {defaults.score:.3f}, difference "
        f"{gain_text(gain)}",
    )  # fmt: skip


def _quick(one: Finalist, policy: TuningPolicy) -> bool:
    return one.model is not None and one.model.latency_ms_p95 <= policy.max_latency_ms


def _others(fit: Sequence[Finalist], defaults: Finalist, policy: TuningPolicy) -> str:
    scores = [one.score for one in fit if one is not defaults]
    if not scores:
        return "no other trial to compare with"
    return f"best other trial {max(scores):.3f}, expected at least +{policy.min_gain:.3f}"
