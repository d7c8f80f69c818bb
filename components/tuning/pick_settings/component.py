"""Define the Kubeflow component `pick_settings`."""

from typing import List  # noqa: UP035 (kfp reads this spelling)

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("core"), install_kfp_package=False)
def pick_settings(
    recipes: List[str],  # noqa: UP006
    trained: dsl.Input[List[dsl.Model]],  # noqa: UP006
    finalists: List[str],  # noqa: UP006
    packages: dsl.Input[List[dsl.Model]],  # noqa: UP006
    reports: dsl.Input[List[dsl.Artifact]],  # noqa: UP006
    settings: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
) -> str:
    """Pick the settings with the best metrics on the validation split, and write a recipe.

    Args:
        recipes: Recipes of all trials, the defaults first, as `contracts.recipe`.
        trained: Their trained models, each a `contracts.model.TrainedLayout`, or absent.
        finalists: The recipes that were trained in full.
        packages: Packages of the finalists, each a `contracts.model.PackageLayout`, or absent.
        reports: Their metrics, each a `contracts.report.Report` of one as `from_scratch`.
        settings: YAML for the train pipeline: the settings that differ from the defaults.
        page: All trials with their metrics.

    Returns:
        The same settings in one line.
    """
    import os
    from pathlib import Path

    from components.shared.contracts.progress import log_progress
    from components.shared.contracts.recipe import recipe_text
    from components.shared.settings.policy_file import policy_from
    from components.tuning.pick_settings.page import settings_file, write_search_page
    from components.tuning.pick_settings.search import search

    found = search(
        recipes, [one.path for one in trained], finalists,
        [one.path for one in packages], [one.path for one in reports],
        policy_from(os.environ).tuning,
    )  # fmt: skip
    write_search_page(page.path, found.pick, found.recipes, found.infos)
    Path(settings.path).write_text(settings_file(found.pick, found.reports[0], len(recipes)))
    log_progress(f"{found.pick.reason}; recipe: {settings.path}")
    return recipe_text(found.pick.recipe)
