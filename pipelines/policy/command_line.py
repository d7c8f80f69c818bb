"""Command `lint`: check compiled pipelines against all rules."""

from typing import Any


def add(commands: Any) -> None:
    """Add the command.

    Args:
        commands: The command line's subparsers.
    """
    lint = commands.add_parser("lint", help="compiled pipelines against the house's policy")
    lint.add_argument("files", nargs="*", metavar="FILE", help="none compiles every pipeline")
    lint.add_argument("--release", action="store_true", help="images by digest, not by tag")
    lint.set_defaults(act=_lint)


def _lint(options: dict[str, Any]) -> int:
    from pipelines.policy.lint import lint

    return lint(options["files"], release=options["release"])
