"""Shell completion for the command line: a bash, zsh or tcsh script made from its parser."""

import shlex
import sys
from argparse import ArgumentParser
from typing import Any

PROGRAM = "pipelines"
START = {"tcsh": "alias {name} {python} -m pipelines '\\!*'"}
START_SH = '{name}() {{ {python} -m pipelines "$@"; }}'


def add(commands: Any) -> None:
    """Add the command.

    Args:
        commands: The command line's subparsers.
    """
    import shtab

    completion = commands.add_parser(
        "completion",
        help="a shell script that defines the command `pipelines` and completes its arguments",
        description='Load it with: eval "$(.venv/bin/python -m pipelines completion bash)"',
    )
    completion.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)
    completion.set_defaults(act=_print_script)


def script(parser: ArgumentParser, shell: str) -> str:
    """Return a script that defines `pipelines`, for the project's folder, and completes it.

    Args:
        parser: Parser of all commands, with `pipelines` as its program.
        shell: bash, zsh or tcsh.
    """
    import shtab

    start = START.get(shell, START_SH).format(name=PROGRAM, python=shlex.quote(sys.executable))
    return f"{shtab.complete(parser, shell)}\n{start}\n"


def _print_script(options: dict[str, Any]) -> int:
    from pipelines.command_line import parser

    print(script(parser(PROGRAM), options["shell"]))
    return 0
