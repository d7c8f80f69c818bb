"""Run pipelines on this machine, or submit them to Kubeflow: `python -m pipelines --help`."""

import argparse
import signal
import sys
from typing import Any

from kfp.dsl.base_component import BaseComponent

from components.__main__ import truth
from components.contracts.refusal import Refusal
from pipelines.graphs import GRAPHS
from pipelines.laptop.processes import ProcessError

READERS: dict[str, Any] = {
    "String": str,
    "Integer": int,
    "Float": float,
    "Boolean": truth,
}  # by KFP's type


def main(words: list[str]) -> int:
    """Do what the command line says, and return the exit code."""
    options = vars(_parser().parse_args(words))
    command = options.pop("command")
    signal.signal(signal.SIGTERM, _leave)
    try:
        return int(_commands()[command](options))
    except (Refusal, ProcessError) as refusal:
        print(f"\n{refusal}", file=sys.stderr)
        return 2
    except OSError as failure:
        print(f"\n{failure.strerror or failure}: {failure.filename or ''}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def _commands() -> dict[str, Any]:
    from pipelines.laptop import commands

    return {
        "loop": lambda options: commands.loop(**options),
        "retrain": lambda options: commands.retrain(**options),
        "serve": lambda options: commands.serve(**options),
        "run": _run,
        "submit": _submit,
    }


def _run(options: dict[str, Any]) -> int:
    from pipelines.laptop import commands

    return commands.run(options.pop("pipeline"), options)


def _submit(options: dict[str, Any]) -> int:
    from pipelines.submit import submit

    print(submit(options.pop("pipeline"), options.pop("host"), options))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    loop = commands.add_parser("loop", help="the whole loop, as make run does it")
    loop.add_argument("--data", default="", help="folder of labelled images; none simulates")
    loop.add_argument("--name", default="", help="name of the dataset")
    retrain = commands.add_parser("retrain", help="label what drifted, and train again")
    retrain.add_argument("--frames", type=int, default=240, help="labelled night frames to add")
    serve = commands.add_parser("serve", help="keep the last models served")
    serve.add_argument("--port", type=int, default=8080)
    run = commands.add_parser("run", help="one pipeline on this machine")
    _pipelines(run)
    submit = commands.add_parser("submit", help="one pipeline on Kubeflow")
    for parser_of_one in _pipelines(submit):
        parser_of_one.add_argument("--host", required=True, help="URL of Kubeflow Pipelines")
    return parser


def _pipelines(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    names = parser.add_subparsers(dest="pipeline", required=True)
    return [_parameters(names, name, graph) for name, graph in GRAPHS.items()]


def _parameters(names: Any, name: str, graph: BaseComponent) -> argparse.ArgumentParser:
    described = graph.component_spec
    parser: argparse.ArgumentParser = names.add_parser(name, help=described.description)
    for parameter, spec in (described.inputs or {}).items():
        parser.add_argument(
            f"--{parameter.replace('_', '-')}",
            dest=parameter,
            type=READERS[spec.type],
            default=spec.default,
            help=f"default {spec.default!r}",
        )
    return parser


def _leave(signum: int, frame: object) -> None:
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
