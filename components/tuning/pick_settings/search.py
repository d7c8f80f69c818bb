"""Read the results of all tasks of a search; absent models are left out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.shared.contracts.absence import present
from components.shared.contracts.model import PackageInfo, PackageLayout, TrainedInfo, TrainedLayout
from components.shared.contracts.policy import TuningPolicy
from components.shared.contracts.recipe import Recipe, recipe_from
from components.shared.contracts.report import Report
from components.tuning.pick_settings.pick import Pick, pick

POLICY = TuningPolicy()


@dataclass(frozen=True, slots=True)
class Search:
    """All trials of a search and its result.

    Attributes:
        recipes: All that were tried, the defaults first.
        infos: Descriptions of the models of the short trainings.
        reports: Of those that were trained in full.
        pick: The winner.
    """

    recipes: Sequence[Recipe]
    infos: Sequence[TrainedInfo]
    reports: Sequence[Report]
    pick: Pick


def search(
    recipes: Iterable[str],
    trained: Iterable[str],
    finalists: Iterable[str],
    packages: Iterable[str],
    reports: Iterable[str],
    policy: TuningPolicy = POLICY,
) -> Search:
    """Read the results of a search and pick the winner.

    Args:
        recipes: All that were tried, the defaults first.
        trained: Folders of their `TrainedLayout`.
        finalists: The recipes that were trained in full.
        packages: Folders of their `PackageLayout`.
        reports: Files of their `Report`.
        policy: Margin of the winner, and its limit of latency.

    Raises:
        UserError: As `pick`.
    """
    infos = [TrainedInfo.read(TrainedLayout(one).info) for one in present(trained)]
    models = [PackageInfo.read(PackageLayout(one).info) for one in present(packages)]
    compared = [Report.read(one) for one in reports]
    found = pick([recipe_from(one) for one in finalists], models, compared, policy)
    return Search([recipe_from(one) for one in recipes], infos, compared, found)
