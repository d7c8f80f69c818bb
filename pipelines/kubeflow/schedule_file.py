"""Parse the schedule file `schedules.yaml` into records, and refuse unknown or duplicate keys."""

from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from components.shared.contracts.errors import UserError
from components.shared.contracts.record import Record, complaint
from components.shared.contracts.values import Name
from pipelines.kubeflow import cron
from pipelines.kubeflow.runtime_parameters import runtime_parameters

FILE = Path(__file__).parents[1] / "schedules.yaml"

Value = str | int | float | bool
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Schedule(Record):
    """One pipeline, started at the same times for each of some datasets.

    Attributes:
        name: Beginning of the names of its recurring runs.
        pipeline: Command-line name of the pipeline.
        cron: Six fields, seconds first, or a word that begins with `@`.
        datasets: Pipeline parameters by name, for each dataset by its name.
    """

    model_config = ConfigDict(strict=True)

    name: Name
    pipeline: Text
    cron: Text
    datasets: dict[Name, dict[str, Value]] = Field(min_length=1)


class ScheduleFile(Record):
    """All schedules of a cluster.

    Attributes:
        owner: Owner mark in the host's recurring runs; empty takes the file's name.
        timezone: Time zone of the cluster's scheduler, an IANA name.
        schedules: In any order.
    """

    model_config = ConfigDict(strict=True)

    owner: Name | Literal[""] = ""
    timezone: Text = "UTC"
    schedules: list[Schedule]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the cluster's scheduler."""
        return ZoneInfo(self.timezone)


class Planned(Record):
    """One recurring run that a host should have.

    Attributes:
        name: Its name, unique in the file; the host allows duplicates.
        pipeline: Command-line name of the pipeline.
        cron: Cron expression of its starts.
        parameters: Pipeline parameters by name.
    """

    name: str
    pipeline: str
    cron: str
    parameters: dict[str, Value]


def read(file: Path = FILE) -> ScheduleFile:
    """Read and validate the schedules.

    Raises:
        UserError: If the file cannot be read, or something in it is wrong.
    """
    try:
        schedules = ScheduleFile.model_validate(yaml.load(file.read_bytes(), _Loader))
    except ValidationError as error:
        raise UserError(f"{file.name}: {complaint(error)}") from error
    except (OSError, yaml.YAMLError) as cause:
        raise UserError(f"{file}: {' '.join(str(cause).split())[:300]}") from cause
    try:
        zone = schedules.zone
    except (KeyError, OSError, ValueError) as cause:
        known = "expected an IANA name such as Europe/Zurich"
        raise UserError(f"{file.name}: timezone is {schedules.timezone!r}, {known}") from cause
    for schedule in schedules.schedules:
        _check(f"{file.name}: {schedule.name}", schedule, zone)
    names = [one.name for one in planned(schedules)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{file.name} schedules {', '.join(twice)} twice, expected each name once")
    return schedules


def planned(file: ScheduleFile) -> list[Planned]:
    """Return the recurring runs of a file, one for each schedule and dataset."""
    return [
        Planned(
            name=f"{one.name}-{dataset}",
            pipeline=one.pipeline,
            cron=one.cron,
            parameters={"dataset": dataset, **runtime_parameters(one.pipeline, parameters)},
        )
        for one in file.schedules
        for dataset, parameters in one.datasets.items()
    ]


def _check(where: str, schedule: Schedule, zone: ZoneInfo) -> None:
    try:
        cron.check(schedule.cron, zone)
        for parameters in schedule.datasets.values():
            if "dataset" in parameters:
                raise UserError("dataset is a parameter, expected only the dataset's own key")
            runtime_parameters(schedule.pipeline, parameters)
    except UserError as refusal:
        raise UserError(f"{where}: {refusal}") from refusal


class _Loader(yaml.SafeLoader):
    """YAML loader that refuses duplicate keys, of which the first would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [str(key) for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(
                None, None, f"{twice[0]!r} is there twice", node.start_mark
            )
        return super().construct_mapping(node, deep)
