"""A pipeline's parameters, read from its own signature: as options, and as values to check."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kfp.dsl.base_component import BaseComponent

from components.__main__ import truth
from components.contracts.refusal import Refusal
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


READERS: dict[str, Any] = {
    "String": text_or_file,
    "Integer": int,
    "Float": float,
    "Boolean": truth,
}  # by KFP's type

TYPES: dict[str, set[type]] = {
    "String": {str},
    "Integer": {int},
    "Float": {float, int},
    "Boolean": {bool},
}


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
    """Return parameters of a pipeline, if it has them and they are of its types.

    Raises:
        Refusal: If there is no such pipeline, or one of them is not so.
    """
    inputs = _inputs(pipeline)
    for name, value in given.items():
        if name not in inputs:
            raise Refusal(f"{pipeline} has no parameter {name!r}, expected {', '.join(inputs)}")
        told = inputs[name].type
        if type(value) not in TYPES[told]:
            raise Refusal(f"{pipeline}: {name} is {value!r}, expected of type {told}")
    return dict(given)


def graph_of(pipeline: str) -> BaseComponent:
    """Return a pipeline by the name that people call it.

    Raises:
        Refusal: If there is none.
    """
    if pipeline not in GRAPHS:
        raise Refusal(f"{pipeline!r} is no pipeline, expected one of {', '.join(GRAPHS)}")
    return GRAPHS[pipeline]


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
            type=READERS[spec.type],
            default=spec.default,
            help=f"{(spec.description or '').replace('%', '%%')} (default {spec.default!r})",
        )
    return parser
