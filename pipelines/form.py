"""What people see of a pipeline where they start a run: choices, and which account it needs.

The form of the dashboard draws a list for a parameter with literals, and the API server refuses
every other value. The SDK's signatures know no literals, so they are added to what it compiled.
"""

from typing import Any, get_args

from kfp.dsl.base_component import BaseComponent

from components.contracts.account import pipeline_account
from components.contracts.choices import AUTO, UNLIMITED, Approval, ImageSize, LauncherName
from components.contracts.model import Precision, Suppression

# By the name of a parameter, which means the same in every pipeline.
LITERALS: dict[str, tuple[Any, ...]] = {
    "approval": get_args(Approval),
    "launcher": get_args(LauncherName),
    "image_size": get_args(ImageSize),
    "served_precision": get_args(Precision),
    "suppression": get_args(Suppression),
}
# Parameters that are texts: a whole number, or a word that leaves the number open.
WORDS = {"epochs": AUTO, "budget": UNLIMITED}


def with_form(graph: BaseComponent) -> BaseComponent:
    """Add literals and the service account to a pipeline's specification, and return it."""
    spec = graph.pipeline_spec
    for name, parameter in spec.root.input_definitions.parameters.items():
        for literal in LITERALS.get(name, ()):
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
