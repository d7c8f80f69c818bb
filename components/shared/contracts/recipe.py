"""Encode a recipe (the settings of a training that differ from the defaults) as a line of JSON.

JSON is YAML too, so a recipe may stand in a command line, a file or a pipeline's parameter.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from components.shared.contracts.model import PackageInfo, TrainedInfo

Value = str | int | float | bool
Recipe = Mapping[str, Value]
Made = TypeVar("Made", TrainedInfo, PackageInfo)


def recipe_text(recipe: Recipe) -> str:
    """Encode a recipe as text.

    >>> recipe_text({"mosaic": 0.5, "epochs": 4})
    '{"epochs": 4, "mosaic": 0.5}'
    """
    return json.dumps(dict(recipe), sort_keys=True)


def recipe_from(text: str) -> Recipe:
    """Decode the text of `recipe_text`."""
    recipe: Recipe = json.loads(text)
    return recipe


def followed(recipes: Sequence[Recipe], models: Iterable[Made]) -> dict[int, Made]:
    """Match recipes to models, whatever the order of the models.

    A recipe that says less than another agrees with more models, so that it chooses later.

    Args:
        recipes: At least as many as there are models.
        models: Models with their lineage.

    Returns:
        By the number of a recipe; one whose training failed is missing.
    """
    left, found = list(models), {}
    for number in sorted(range(len(recipes)), key=lambda number: -len(recipes[number])):
        for model in left:
            settings = model.lineage.settings
            if all(settings.get(key) == value for key, value in recipes[number].items()):
                found[number] = model
                left.remove(model)
                break
    return dict(sorted(found.items()))
