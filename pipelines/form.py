"""What people see of a pipeline where they start a run: choices, and which account it needs.

The form of the dashboard draws a list for a parameter with literals, and the API server refuses
every other value. The SDK's signatures know no literals, so they are added to what it compiled.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from kfp.dsl.base_component import BaseComponent

from components.contracts.account import pipeline_account
from components.contracts.choices import AUTO, UNLIMITED, Approval, ImageSize, LauncherName
from components.contracts.model import Precision, Suppression


class Values(NamedTuple):
    """What a parameter may be.

    Attributes:
        literals: The only values; empty if there are others.
        word: Of a text that is a whole number or this word, which leaves the number open.
    """

    literals: tuple[Any, ...] = ()
    word: str = ""


# By the name of a parameter, which means the same in every pipeline.
VALUES: Mapping[str, Values] = {
    "approval": Values(get_args(Approval)),
    "launcher": Values(get_args(LauncherName)),
    "image_size": Values(get_args(ImageSize)),
    "served_precision": Values(get_args(Precision)),
    "suppression": Values(get_args(Suppression)),
    "epochs": Values(word=AUTO),
    "budget": Values(word=UNLIMITED),
}


def values_of(name: str) -> Values:
    """Return what a parameter of this name may be; nothing is said of most."""
    return VALUES.get(name, Values())


def with_form(graph: BaseComponent) -> BaseComponent:
    """Add literals and the service account to a pipeline's specification, and return it."""
    spec = graph.pipeline_spec
    for name, parameter in spec.root.input_definitions.parameters.items():
        for literal in values_of(name).literals:
            value = parameter.literals.add()
            if isinstance(literal, str):
                value.string_value = literal
            else:
                value.number_value = literal
    spec.pipeline_info.description = f"{graph.description} {account_sentence()}"
    return graph


def description_of(graph: BaseComponent) -> str:
    """Return what a run of a pipeline does, and which account it needs."""
    return str(graph.pipeline_spec.pipeline_info.description)


def account_sentence() -> str:
    """Say which account to choose where a run or a recurring run is made by hand."""
    return f"Runs need the service account {pipeline_account()}."
