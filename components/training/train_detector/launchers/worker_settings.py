"""Read the configuration of worker pods: YAML in TRAINING_WORKERS."""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.shared.cluster.settings import read_settings
from components.shared.contracts.errors import UserError
from components.shared.contracts.quantity import Quantity, above_zero, amount
from components.shared.contracts.record import Record

Cpu = Annotated[
    str, Field(coerce_numbers_to_str=True, pattern=r"^\d+(\.\d+)?m?$"), AfterValidator(above_zero)
]


class Toleration(Record):
    """A toleration of worker pods for a taint."""

    key: str = ""
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""


class Volume(Record):
    """A persistent volume claim that is mounted in worker pods."""

    claim: str
    path: str = Field(pattern="^/")
    read_only: bool = False


class WorkerSettings(Record):
    """Settings of the pods of one training."""

    image: str = Field(default="", description="otherwise that of the launcher's own pod")
    image_pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = ""
    service_account: str = Field(default="default", description="its token is not mounted")
    cpu: Cpu = "4"
    memory: Quantity = "8Gi"
    gpus: int = Field(default=0, ge=0, le=1, description="a worker drives one device at most")
    gpu_resource: str = "nvidia.com/gpu"
    node_selector: dict[str, str] = Field(default={})
    tolerations: tuple[Toleration, ...] = ()
    volumes: tuple[Volume, ...] = ()
    priority_class: str = ""
    queue: str = Field(
        default="", description="Kueue's LocalQueue, which admits a job's workers all at once"
    )
    gang_scheduler: str = Field(
        default="",
        description="scheduler that places all workers of a job or none; for a tfjob the training "
        "operator's --gang-scheduler-name, for a trainjob that of its TrainingRuntime",
    )
    communication: Literal["ring", "nccl", "auto"] = Field(
        default="ring", description="nccl where every worker has a GPU"
    )
    runtime: str = Field(default="car-workers", description="TrainingRuntime of a trainjob")
    time_limit_s: int = Field(
        default=11 * 3600,
        gt=0,
        description="starts and restarts included, time suspended in a queue not; the task of the "
        "launcher ends after 12 hours, and there all time counts",
    )
    start_limit_s: int = Field(default=1800, gt=0, description="until all workers run, each time")
    keep_s: int = Field(default=24 * 3600, ge=0, description="a finished tfjob stays this long")
    restarts: int = Field(
        default=5,
        ge=0,
        description="of one worker, or of a job that lost a pod to a drain, before it is given up; "
        "a trainjob has 5 at most",
    )

    @property
    def threads(self) -> int:
        """Return the threads of a worker: one for each core, at least one.

        >>> WorkerSettings(cpu="2500m").threads
        3
        """
        return max(1, math.ceil(amount(self.cpu)))


def worker_settings(text: str) -> WorkerSettings:
    """Return settings from YAML; empty YAML gives the defaults.

    Raises:
        UserError: If it is no YAML, or names what is no setting.

    >>> worker_settings("cpus: 4")
    Traceback (most recent call last):
    components.shared.contracts.errors.UserError: TRAINING_WORKERS: cpus: Extra inputs are not...
    """
    settings = read_settings(WorkerSettings, "TRAINING_WORKERS", text)
    if settings.communication == "nccl" and not settings.gpus:
        raise UserError("TRAINING_WORKERS: communication is nccl, which needs gpus: 1")
    return settings
