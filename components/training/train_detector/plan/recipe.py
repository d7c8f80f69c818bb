"""Merge a recipe (YAML of settings that replace defaults) with the component's parameters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from components.shared.contracts.absence import mark_absent
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import TrainedInfo
from components.shared.contracts.progress import log_progress
from components.training.train_detector.plan.settings import TrainingSettings, settings_of

OF_THE_GRAPH = ("start",)  # both candidates share a recipe, and differ in it


def with_recipe(recipe: str, **given: Any) -> TrainingSettings:
    """Return settings from a recipe and from explicit parameters.

    Args:
        recipe: YAML; empty changes nothing.
        **given: Settings as parameters; what is no default there may not be in the recipe too.

    Raises:
        UserError: If the recipe is no YAML or names what is no setting, if both say something
            else, or what they say cannot be.

    >>> with_recipe("mosaic: 0.25", epochs=3).mosaic
    0.25
    >>> with_recipe("{epochs: 60}", epochs=3)
    Traceback (most recent call last):
    components.shared.contracts.errors.UserError: epochs is 3, and the recipe says 60: ...
    """
    settings = read_recipe(recipe)
    for name in settings.keys() & given.keys():
        if given[name] not in (TrainingSettings.model_fields[name].default, settings[name]):
            raise UserError(
                f"{name} is {given[name]!r}, and the recipe says {settings[name]!r}: expected "
                "one of the two, not both"
            )
    return settings_of(**{**given, **settings})


def read_recipe(text: str) -> dict[str, Any]:
    """Return the settings of a recipe, not yet validated.

    Raises:
        UserError: If it is no YAML, or names what is no setting.
    """
    try:
        read: Any = yaml.safe_load(text)
    except yaml.YAMLError as cause:
        raise UserError(f"recipe is no YAML: {' '.join(str(cause).split())}") from cause
    if not isinstance(read, dict | None):
        raise UserError(
            f"recipe is {str(read)[:100]!r}, expected YAML such as learning_rate: 0.002"
        )
    known = [name for name in TrainingSettings.model_fields if name not in OF_THE_GRAPH]
    for name in read or {}:
        if name not in known:
            raise UserError(f"recipe: {name} is no setting, expected some of {', '.join(known)}")
    return read or {}


def attempt(
    go: Callable[[], TrainedInfo | None], trained: Path, *, trial: bool
) -> TrainedInfo | None:
    """Train; a refused trial of a search leaves an absent model, so that the search goes on.

    Args:
        go: Trains.
        trained: The folder of the model.
        trial: Whether this is one of many.

    Raises:
        UserError: If what was chosen cannot be trained with, and this is no trial.
        OutageError: If something was away, which says nothing of what was chosen.
    """
    try:
        return go()
    except UserError as refusal:
        if not trial:
            raise
        mark_absent(trained, str(refusal))
        log_progress(f"this trial is skipped: {refusal}")
        return None
