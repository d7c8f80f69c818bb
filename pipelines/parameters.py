"""Pipeline parameters from the compiled signature: command-line options, defaults, validation."""

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kfp.dsl.base_component import BaseComponent

from components.__main__ import truth
from components.shared.contracts.choices import AUTO, UNLIMITED, number_or
from components.shared.contracts.errors import UserError
from components.shared.settings.policy_file import policy_from
from components.training.train_detector.plan.recipe import with_recipe
from components.tuning.propose_settings.propose import rungs
from components.tuning.propose_settings.space import read_space
from pipelines.form import values_of
from pipelines.graphs import GRAPHS


def text_or_file(text: str) -> str:
    """Return a text, or for `@FILE` the content of that file, for argparse."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text()
    except (OSError, UnicodeDecodeError) as cause:
        why = getattr(cause, "strerror", None) or cause
        raise argparse.ArgumentTypeError(f"{text[1:]} cannot be read: {why}") from cause


class ValueType(NamedTuple):
    """A KFP parameter type.

    Attributes:
        read: Parses a value from a word of the command line, for argparse.
        types: Python types of its values.
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
    """Add a subcommand for each pipeline, with its parameters as options; return their parsers.

    Args:
        parser: Parser of the command.
        **options: Further arguments of each pipeline's parser.
    """
    names = parser.add_subparsers(dest="pipeline", metavar="PIPELINE", required=True)
    return [_parameters(names, name, graph, options) for name, graph in GRAPHS.items()]


def defaults(pipeline: str) -> dict[str, Any]:
    """Return the default parameters of a pipeline, by name.

    Raises:
        UserError: If there is no such pipeline.
    """
    return {name: spec.default for name, spec in _inputs(pipeline).items()}


def checked(pipeline: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Validate parameters of a pipeline, and return them with their types.

    A whole number for a parameter that is a number or a word becomes a text.

    Args:
        pipeline: Command-line name of the pipeline.
        given: Pipeline parameters by name.

    Raises:
        UserError: If there is no such pipeline or parameter, or a value is not allowed.
    """
    inputs = _inputs(pipeline)
    for name in given:
        if name not in inputs:
            raise UserError(f"{pipeline} has no parameter {name!r}, expected {', '.join(inputs)}")
    taken = {name: _checked(pipeline, name, inputs[name].type, it) for name, it in given.items()}
    try:
        _check_together(pipeline, defaults(pipeline) | taken)
    except UserError as refusal:
        raise UserError(f"{pipeline}: {refusal}") from refusal
    return taken


def graph_of(pipeline: str) -> BaseComponent:
    """Return a pipeline by its command-line name.

    Raises:
        UserError: If there is none.
    """
    if pipeline not in GRAPHS:
        raise UserError(f"{pipeline!r} is no pipeline, expected one of {', '.join(GRAPHS)}")
    return GRAPHS[pipeline]


def _checked(pipeline: str, name: str, kind: str, value: Any) -> Any:
    where, values = f"{pipeline}: {name}", values_of(name)
    number = value
    if values.word and kind == "String" and type(value) in (int, str):
        number = number_or(values.word, value, where)
        value = str(number or values.word)
    elif type(value) not in VALUE_TYPES[kind].types:
        raise UserError(f"{where} is {value!r}, expected of type {kind}")
    is_open = bool(values.word) and value == values.word
    if not is_open and (expected := values.expected(number)):
        known = f"{values.word} or {expected}" if kind == "String" and values.word else expected
        raise UserError(f"{where} is {value!r}, expected {known}")
    return value


def _check_together(pipeline: str, values: Mapping[str, Any]) -> None:
    """Raise if settings of a training or a search contradict each other."""
    if "workers" not in values:
        return
    if "trials" in values:
        budget = number_or(UNLIMITED, values["budget"], "budget")
        rungs(values["trials"], values["epochs"], budget, policy_from(os.environ).tuning)
        read_space(values["space"])
    chosen = {name: values[name] for name in ("seed", "workers", "image_size") if name in values}
    epochs = number_or(AUTO, values.get("epochs", AUTO), "epochs")
    with_recipe(values.get("recipe", ""), epochs=epochs, **chosen).check_workers()


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
