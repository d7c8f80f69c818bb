"""Allowed values of pipeline parameters, and literals for the run form of the KFP dashboard.

The form of the dashboard draws a list for a parameter with literals, and the API server refuses
every other value. The SDK's signatures know no literals, so they are added to what it compiled.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, get_args

from kfp.dsl.base_component import BaseComponent

from components.shared.contracts.account import pipeline_account
from components.shared.contracts.choices import AUTO, UNLIMITED, Approval, ImageSize, LauncherName
from components.shared.contracts.model import Precision, Suppression
from components.shared.contracts.values import NAME, UNSTORABLE


class Values(NamedTuple):
    """Allowed values of a parameter.

    Attributes:
        literals: The only allowed values; empty if there are others.
        word: For a text that is a whole number or this word, which leaves the number open.
        numbers: The only allowed whole numbers, the word apart.
        pattern: Regular expression that a whole text must match.
        described: The same in words.
    """

    literals: tuple[object, ...] = ()
    word: str = ""
    numbers: range = range(2**31)
    pattern: str = ""
    described: str = ""

    def expected(self, value: object) -> str:
        """Return a description of the allowed values; empty if the value is allowed."""
        if self.literals:
            return "" if value in self.literals else f"one of {', '.join(map(str, self.literals))}"
        if isinstance(value, int) and not isinstance(value, bool) and value not in self.numbers:
            return f"a whole number from {self.numbers[0]:,} to {self.numbers[-1]:,}"
        if isinstance(value, str) and UNSTORABLE.search(value):
            return "text that can be stored, without NUL and half characters"
        if isinstance(value, str) and self.pattern and not re.fullmatch(self.pattern, value):
            return self.described
        return ""


PATH = r".*\S.*"
# By parameter name, which means the same in every pipeline.
VALUES: Mapping[str, Values] = {
    "dataset": Values(
        pattern=NAME, described="small letters, digits and hyphens, such as car-parks"
    ),
    "model": Values(
        pattern="challenger|previous|champion|[0-9a-f]{8,64}",
        described="challenger, previous, or a digest or its first 8 digits or more",
    ),
    "approval": Values(get_args(Approval)),
    "launcher": Values(get_args(LauncherName)),
    "image_size": Values(get_args(ImageSize)),
    "served_precision": Values(get_args(Precision)),
    "suppression": Values(get_args(Suppression)),
    "epochs": Values(word=AUTO, numbers=range(1, 10_001)),
    "trials": Values(numbers=range(2, 1_001)),
    "budget": Values(word=UNLIMITED, numbers=range(1, 1_000_001)),
    "workers": Values(numbers=range(1, 257)),
    "source": Values(
        pattern=PATH, described="a folder, an archive, or an address such as s3://bucket/prefix"
    ),
    "folder": Values(pattern=f"|{PATH}", described="a folder, or nothing"),
}


def values_of(name: str) -> Values:
    """Return the allowed values of a parameter of this name; most names allow any."""
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
    """Return the description of a pipeline, with the service account that its runs need."""
    return str(graph.pipeline_spec.pipeline_info.description)


def account_sentence() -> str:
    """Return the sentence on the service account to choose in the dashboard."""
    return f"Runs need the service account {pipeline_account()}."
