"""Command `lint`: check compiled pipelines against all rules."""

from typing import Any


def add(commands: Any) -> None:
    """Add the command.

    Args:
        commands: The command line's subparsers.
    """
    lint = commands.add_parser("lint", help="check compiled pipelines against the rules")
    lint.add_argument(
        "files", nargs="*", metavar="FILE", help="without one, every pipeline is compiled"
    )
    lint.add_argument("--release", action="store_true", help="require images by digest")
    lint.set_defaults(act=_lint)


def _lint(options: dict[str, Any]) -> int:
    from pipelines.policy.lint import lint

    return lint(options["files"], release=options["release"])
