"""Run pipelines on this machine, or on Kubeflow: `python -m pipelines --help`."""

import signal
import sys
from typing import TYPE_CHECKING

from components.shared.contracts.refusal import Refusal
from pipelines.local.processes import ProcessError

if TYPE_CHECKING:  # slow imports come after Ctrl-C is handled
    from argparse import ArgumentParser

# Modules with `add(commands)`, which adds their commands to the parser.
GROUPS = (
    "pipelines.local.command_line",
    "pipelines.kubeflow.command_line",
    "pipelines.delivery.command_line",
    "pipelines.policy.command_line",
)


def main(words: list[str]) -> int:
    """Run the command of the command line, and return the exit code."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        options = vars(_parser().parse_args(words))
        return int(options.pop("act")(options))
    except (Refusal, ProcessError) as refusal:
        print(f"\n{refusal}", file=sys.stderr)
        return 2
    except OSError as failure:
        print(f"\n{failure.strerror or failure}: {failure.filename or ''}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def _parser() -> "ArgumentParser":
    from argparse import ArgumentParser
    from importlib import import_module

    parser = ArgumentParser(prog="python -m pipelines", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for group in GROUPS:
        import_module(group).add(commands)
    return parser


def _leave(signum: int, frame: object) -> None:
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
