"""Resource requests and limits of tasks: CPU and memory, read when a pipeline is compiled.

The file that TASK_SIZES names is YAML. Its keys are the kinds `light`, `long` and `heavy`, or
jobs, of which it changes one alone:

    heavy: {cpu: "1", cpu_limit: "2", memory: 3G}
    evaluate_detector: {cpu: 500m, memory: 2G}
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from components.shared.contracts.errors import UserError
from components.shared.contracts.quantity import Quantity, amount
from components.shared.contracts.record import Record, complaint

VARIABLE = "TASK_SIZES"
COMPONENTS = Path(__file__).parents[2] / "components"
JOBS = tuple(sorted(file.parent.name for file in COMPONENTS.glob("**/component.py")))
Kind = Literal["light", "long", "heavy"]


class TaskSize(Record):
    """Resource requests and limits of one task."""

    cpu: Quantity = Field(description="requested cores, such as 500m")
    memory: Quantity = Field(description="requested bytes, such as 2G")
    cpu_limit: Quantity | Literal[""] = Field(default="", description="empty: what is requested")
    memory_limit: Quantity | Literal[""] = Field(default="", description="empty: the same")

    @model_validator(mode="after")
    def _limits_hold_the_requests(self) -> Self:
        for name in ("cpu", "memory"):
            asked, most = getattr(self, name), getattr(self, f"{name}_limit")
            if most and amount(most) < amount(asked):
                raise ValueError(f"{name}_limit is {most}, expected {asked} or more")
        return self


# `heavy` fits on a node of 4 cores and 8 GB, part of which is reserved.
DEFAULTS: dict[str, TaskSize] = {
    "light": TaskSize(cpu="1", memory="2G"),
    "long": TaskSize(cpu="1", memory="2G"),
    "heavy": TaskSize(cpu="3", cpu_limit="4", memory="6G", memory_limit="8G"),
}
SIZES = TypeAdapter(dict[str, TaskSize])


def size_of(kind: Kind, job: str) -> TaskSize:
    """Return the resources of a task: set for its job, else for its kind, else the default.

    Args:
        kind: `light`, `long` or `heavy`.
        job: Name of the component's function.

    Raises:
        UserError: If the file that TASK_SIZES names is wrong.
    """
    chosen = read_sizes(Path(file)) if (file := os.environ.get(VARIABLE)) else {}
    return chosen.get(job) or chosen.get(kind) or DEFAULTS[kind]


@cache
def read_sizes(file: Path) -> Mapping[str, TaskSize]:
    """Read the resources of kinds and jobs from a file, once for all tasks that are compiled.

    Raises:
        UserError: If the file cannot be read, or something in it is wrong.
    """
    try:
        sizes = SIZES.validate_python(yaml.safe_load(file.read_text()) or {})
    except ValidationError as error:
        raise UserError(f"{VARIABLE}: {file.name}: {complaint(error)}") from error
    except (OSError, ValueError, yaml.YAMLError) as cause:
        raise UserError(f"{VARIABLE}: {file}: {' '.join(str(cause).split())[:300]}") from cause
    known = (*DEFAULTS, *JOBS)
    if unknown := sorted(sizes.keys() - set(known)):
        raise UserError(
            f"{VARIABLE}: {file.name} has {unknown[0]}, expected some of {', '.join(known)}"
        )
    return sizes
