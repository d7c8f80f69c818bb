"""Define the Kubeflow component `propose_settings`."""

from typing import List  # noqa: UP035 (kfp reads this spelling)

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("core"), install_kfp_package=False)
def propose_settings(
    trials: int = 9, epochs: int = 12, budget: str = "unlimited", space: str = "", seed: int = 0
) -> List[str]:  # noqa: UP006
    """Propose settings to try, the defaults first.

    Args:
        trials: Number of trials, the defaults included.
        epochs: Epochs of a finalist; every trial begins with a third of them.
        budget: Epochs over all trials, or `unlimited`; it may reduce the number of trials.
        space: YAML of the search space: `size: [pico, nano]` or `learning_rate: {low: 0.001,
            high: 0.01, log: true}` for each setting; empty: the default space.
        seed: Seed of the search.

    Returns:
        A recipe for each trial, as `contracts.recipe`.
    """
    import os

    from components.shared.contracts.choices import UNLIMITED, number_or
    from components.shared.contracts.progress import log_progress
    from components.shared.contracts.recipe import recipe_text
    from components.shared.settings.policy_file import policy_from
    from components.tuning.propose_settings.propose import propose, rungs, size
    from components.tuning.propose_settings.space import read_space

    searched = read_space(space)
    wanted = int(min(trials, 1 + size(searched)))
    most = number_or(UNLIMITED, budget, "budget")
    spent = rungs(wanted, epochs, most, policy_from(os.environ).tuning)
    log_progress(f"{spent.sentence}; searched: {', '.join(searched)}")
    return [
        recipe_text({**recipe, "epochs": spent.short})
        for recipe in propose(searched, spent.trials, seed)
    ]
