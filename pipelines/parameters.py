"""A pipeline's parameters, read from its own signature: as options, and as values to check."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kfp.dsl.base_component import BaseComponent

from components.__main__ import truth
from components.contracts.choices import number_or
from components.contracts.refusal import Refusal
from pipelines.form import values_of
from pipelines.graphs import GRAPHS


def text_or_file(text: str) -> str:
    """Return a text, or for `@FILE` what stands in that file, for argparse."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text()
    except (OSError, UnicodeDecodeError) as cause:
        why = getattr(cause, "strerror", None) or cause
        raise argparse.ArgumentTypeError(f"{text[1:]} cannot be read: {why}") from cause


class ValueType(NamedTuple):
    """One of KFP's types of a parameter.

    Attributes:
        read: Reads a value from a word of the command line, for argparse.
        types: What a value may be in Python.
    """

    read: Callable[[str], Any]
    types: set[type]


VALUE_TYPES: Mapping[str, ValueType] = {
    "String": ValueType(text_or_file, {str}),
    "Integer": ValueType(int, {int}),
    "Float": ValueType(float, {float, int}),
    "Boolean": ValueType(truth, {bool}),
}  # by their names in KFP


def one_of_the_pipelines(
    parser: argparse.ArgumentParser, **options: Any
) -> list[argparse.ArgumentParser]:
    """Let a command take a pipeline's name and parameters; return one parser a pipeline.

    Args:
        parser: The command's.
        **options: What else the parser of each pipeline is made with.
    """
    names = parser.add_subparsers(dest="pipeline", metavar="PIPELINE", required=True)
    return [_parameters(names, name, graph, options) for name, graph in GRAPHS.items()]


def defaults(pipeline: str) -> dict[str, Any]:
    """Return the parameters of a pipeline for which nothing is given.

    Raises:
        Refusal: If there is no such pipeline.
    """
    return {name: spec.default for name, spec in _inputs(pipeline).items()}


def checked(pipeline: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters of a pipeline, if it has them and they are what they may be.

    A whole number for a parameter that is a number or a word becomes a text.

    Raises:
        Refusal: If there is no such pipeline, or one of them is not so.
    """
    inputs = _inputs(pipeline)
    for name in given:
        if name not in inputs:
            raise Refusal(f"{pipeline} has no parameter {name!r}, expected {', '.join(inputs)}")
    return {name: _checked(pipeline, name, inputs[name].type, it) for name, it in given.items()}


def graph_of(pipeline: str) -> BaseComponent:
    """Return a pipeline by the name that people call it.

    Raises:
        Refusal: If there is none.
    """
    if pipeline not in GRAPHS:
        raise Refusal(f"{pipeline!r} is no pipeline, expected one of {', '.join(GRAPHS)}")
    return GRAPHS[pipeline]


def _checked(pipeline: str, name: str, kind: str, value: Any) -> Any:
    where, (literals, word) = f"{pipeline}: {name}", values_of(name)
    if word and kind == "String" and type(value) in (int, str):
        return str(number_or(word, value, where) or word)
    if type(value) not in VALUE_TYPES[kind].types:
        raise Refusal(f"{where} is {value!r}, expected of type {kind}")
    if literals and value not in literals:
        known = ", ".join(map(str, literals))
        raise Refusal(f"{where} is {value!r}, expected one of {known}")
    return value


def _inputs(pipeline: str) -> Mapping[str, Any]:
    return graph_of(pipeline).component_spec.inputs or {}


def _parameters(
    names: Any, name: str, graph: BaseComponent, options: dict[str, Any]
) -> argparse.ArgumentParser:
    described = graph.component_spec
    parser: argparse.ArgumentParser = names.add_parser(name, help=described.description, **options)
    for parameter, spec in (described.inputs or {}).items():
        parser.add_argument(
            f"--{parameter.replace('_', '-')}",
            dest=parameter,
            type=VALUE_TYPES[spec.type].read,
            default=spec.default,
            choices=values_of(parameter).literals or None,
            metavar=parameter.upper(),
            help=f"{(spec.description or '').replace('%', '%%')} (default {spec.default!r})",
        )
    return parser
