"""Define the Kubeflow component `narrow_settings`."""

from typing import List  # noqa: UP035 (kfp reads this spelling)

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("core"), install_kfp_package=False)
def narrow_settings(
    recipes: List[str],  # noqa: UP006
    trained: dsl.Input[List[dsl.Model]],  # noqa: UP006
    page: dsl.Output[dsl.Markdown],
    epochs: int = 12,
) -> List[str]:  # noqa: UP006
    """Select the better settings for a full training, with the defaults always among them.

    Args:
        recipes: Recipes of all trials, the defaults first, as `contracts.recipe`.
        trained: Their trained models, each a `contracts.model.TrainedLayout`, or absent.
        page: All trials with their metrics.
        epochs: Epochs of a full training.

    Returns:
        The recipes of the finalists.
    """
    import os
    from pathlib import Path

    from components.shared.contracts.absence import absence, present
    from components.shared.contracts.model import TrainedInfo, TrainedLayout
    from components.shared.contracts.progress import log_progress
    from components.shared.contracts.recipe import recipe_from, recipe_text
    from components.shared.settings.policy_file import policy_from
    from components.tuning.narrow_settings.narrow import finalists, narrow
    from components.tuning.narrow_settings.trials_table import table_of

    folders = [one.path for one in trained]
    infos = [TrainedInfo.read(TrainedLayout(folder).info) for folder in present(folders)]
    reasons = [reason for folder in folders if (reason := absence(folder))]
    trials = narrow(
        [recipe_from(recipe) for recipe in recipes], infos, policy_from(os.environ).tuning
    )
    Path(page.path).write_text(table_of(trials, reasons))
    going = finalists(trials, epochs)
    log_progress(f"{len(going)} of {len(trials)} trials continue to {epochs} epochs")
    return [recipe_text(recipe) for recipe in going]
