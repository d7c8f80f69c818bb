"""Choose the launcher of a training by its name: local, tfjob or trainjob."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, get_args

from components.shared.contracts.choices import LauncherName
from components.shared.contracts.errors import UserError
from components.shared.store.objects import Objects
from components.training.train_detector.launchers.local import launch_local
from components.training.train_detector.plan.plan import Plan

KNOWN = get_args(LauncherName)


class Launcher(Protocol):
    """Starts the workers of a plan and waits for their end."""

    def __call__(self, work: Path, plan: Plan, objects: Objects) -> None:
        """Return when the plan's outcome is in the object store, as `TrainingStore` says.

        Args:
            work: A folder laid out as `PlanLayout`.
            plan: The plan in it.
            objects: Holds the shards, and takes the outcome.

        Raises:
            UserError: If a worker refused what the user gave.
            TrainingError: If a worker ended otherwise.
        """


def launcher_named(name: str, environment: Mapping[str, str]) -> Launcher:
    """Return the launcher with a name.

    Args:
        name: `local` starts processes; `tfjob` and `trainjob` send a custom resource.
        environment: Says which cluster, and what its workers look like.

    Raises:
        UserError: If there is none of that name.

    >>> launcher_named("slurm", {})
    Traceback (most recent call last):
    components.shared.contracts.errors.UserError: launcher is 'slurm', expected one of local, ...
    """
    if name == "local":
        return launch_local
    if name not in KNOWN:
        raise UserError(f"launcher is {name!r}, expected one of {', '.join(KNOWN)}")

    from components.training.train_detector.launchers import tfjob, trainjob
    from components.training.train_detector.launchers.on_cluster import ClusterLauncher

    return ClusterLauncher(tfjob if name == "tfjob" else trainjob, environment)
