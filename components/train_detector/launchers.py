"""Where the workers of a training run is a matter of one name; what they do never differs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from components.contracts.refusal import Refusal
from components.train_detector.local import launch_local


class Launcher(Protocol):
    """Starts the workers of a plan and follows them to the end."""

    def __call__(self, plan: Path, workers: int) -> None:
        """Return when the plan's output is complete.

        Args:
            plan: A file that holds a `Plan`.
            workers: How many to start.

        Raises:
            Refusal: If a worker refused what the user gave.
            TrainingError: If a worker ended otherwise.
        """


LAUNCHERS: Mapping[str, Launcher] = {"local": launch_local}


def launcher_named(name: str) -> Launcher:
    """Return a launcher.

    Raises:
        Refusal: If there is none of that name.

    >>> launcher_named("slurm")
    Traceback (most recent call last):
    components.contracts.refusal.Refusal: launcher is 'slurm', expected one of local
    """
    if name not in LAUNCHERS:
        raise Refusal(f"launcher is {name!r}, expected one of {', '.join(LAUNCHERS)}")
    return LAUNCHERS[name]
