"""The command line's parser: every package of pipelines adds its commands."""

from argparse import ArgumentParser
from importlib import import_module

# Modules with `add(commands)`.
GROUPS = (
    "pipelines.local.command_line",
    "pipelines.local.api_keys",
    "pipelines.kubeflow.command_line",
    "pipelines.delivery.command_line",
    "pipelines.policy.command_line",
    "pipelines.completion",
)


def parser(program: str = "python -m pipelines") -> ArgumentParser:
    """Return the parser of all commands.

    Args:
        program: How the user starts it.
    """
    every = ArgumentParser(
        prog=program, description="Run pipelines on this machine, or on Kubeflow."
    )
    commands = every.add_subparsers(metavar="COMMAND", required=True)
    for group in GROUPS:
        import_module(group).add(commands)
    return every
