"""Apply the schedule file to a host: create, replace, disable and delete recurring runs.

A host cannot change a recurring run. Its description holds the owner of the file and a digest of
its content. A change makes the new one first, which names the one it replaces, and then disables
that one: if the process is killed in between, the next `apply` disables it. A paused one is listed
until `resume`: the host does not keep whether a person or an earlier `--prune` disabled it.

A recurring run owns the workflows of its runs: Pipelines 2.17 deletes active ones with it, and
their runs stay RUNNING. So it is only disabled, and deleted when none of its runs is active.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from kfp import Client

from components.shared.contracts.account import pipeline_account
from components.shared.contracts.errors import UserError
from components.shared.kubeflow.client import host_errors, url_of
from components.shared.kubeflow.runs import EXPERIMENT, PipelineVersion
from pipelines.graphs import GRAPHS
from pipelines.kubeflow.recurring import (
    AT_ONCE,
    Foreign,
    Paused,
    Recurring,
    active,
    digest,
    foreign,
    there,
)
from pipelines.kubeflow.schedule_file import FILE, Planned, ScheduleFile, planned, read
from pipelines.kubeflow.versions import ROOT, choose


class Step(NamedTuple):
    """One change of a host.

    Attributes:
        verb: `create`; `replace`, which makes one and disables another; `resume` what is paused;
            `disable`; `delete` what was disabled before; `wait` until a run of it is over.
        name: Name of the recurring run.
        make: The recurring run to make, or None.
        old: The recurring run to disable, delete or resume, or None.
        pruned: Whether the file no longer has it.
    """

    verb: str
    name: str
    make: Planned | None = None
    old: Recurring | None = None
    pruned: bool = False

    def __str__(self) -> str:
        """Return the step as one line."""
        verb = f"prune {self.verb}" if self.pruned else self.verb
        old = f" {self.old.id}{' (paused)' if self.old.paused else ''}" if self.old else ""
        made = f": {self.make.cron} {self.make.parameters}" if self.make else ""
        later = " (deleted by a later apply, when none of its runs is active)"
        leaves_one = self.verb in ("replace", "disable", "wait")
        return f"{verb:<14} {self.name}{old}{made}{later if leaves_one else ''}"


def plan(
    wanted: Sequence[Planned],
    there: Iterable[Recurring],
    versions: Mapping[str, PipelineVersion],
    owner: str,
    busy: Collection[str] = (),
) -> list[Step]:
    """Return the steps that make a host match a file, in a safe order.

    Args:
        wanted: The recurring runs of the file.
        there: The recurring runs of the host.
        versions: The version to run, by pipeline.
        owner: Owner of the file; recurring runs of other owners are not changed.
        busy: Ids of recurring runs with an active run.

    Raises:
        UserError: If two of one name are there, or one that this file did not make.
    """
    there = list(there)
    names = {one.name for one in wanted}
    replaced, strays = unwanted(there, owner, names)
    gone = {one.id for one in replaced}
    steps = [_removal(one, busy, there) for one in replaced]
    for planned_one in wanted:
        named = [o for o in there if o.name == planned_one.name and o.id not in gone]
        _refuse_what_is_ambiguous(planned_one.name, named, owner)
        if not named:
            steps.append(Step("create", planned_one.name, planned_one))
        elif named[0].digest != digest(planned_one, versions[planned_one.pipeline]):
            steps.append(Step("replace", planned_one.name, planned_one, named[0]))
    pruned = [_removal(one, busy, there) for one in strays]
    return steps + [step._replace(pruned=True) for step in pruned]


def unwanted(
    there: Iterable[Recurring], owner: str, names: Collection[str]
) -> tuple[list[Recurring], list[Recurring]]:
    """Return an owner's recurring runs that were replaced, and those the file no longer has.

    Args:
        there: The recurring runs of the host.
        owner: Owner of the file.
        names: Names of the recurring runs of the file.
    """
    owned = [one for one in there if one.owner == owner]
    old = {one.replaces for one in owned}
    replaced = [one for one in owned if one.id in old]
    return replaced, [one for one in owned if one.name not in names and one.id not in old]


def _removal(one: Recurring, busy: Collection[str], there: Sequence[Recurring]) -> Step:
    """Return the next step to remove a recurring run.

    One that replaced another is kept as long as that one: it alone records the replacement.
    """
    if not one.paused:
        return Step("disable", one.name, old=one)
    waits = one.id in busy or any(other.id == one.replaces for other in there)
    return Step("wait" if waits else "delete", one.name, old=one)


class Schedules:
    """The schedules of a file, on a host.

    Args:
        client: Client of the host.
        file: The schedule file.
        root: A folder in the git checkout whose version is taken if it is uploaded.
    """

    def __init__(self, client: Client, file: Path = FILE, root: Path = ROOT) -> None:
        self._client, self._file, self._root = client, file, root

    def diff(self) -> list[Step]:
        """Return the steps of `apply`; those that need `prune` come last.

        Raises:
            UserError: If the file is wrong, a pipeline is not uploaded, or the host has two
                recurring runs of one name or one that we did not make.
        """
        file = read(self._file)
        wanted = planned(file)
        return self._plan(wanted, self._versions(wanted), self._owner(file))

    def apply(self, *, prune: bool = False) -> list[Step]:
        """Make the host match the file, and return the steps that were done.

        Args:
            prune: Whether to remove what this file made and has no more.

        Raises:
            UserError: As `diff` does, or if the host does not take it.
        """
        file = read(self._file)
        wanted, owner = planned(file), self._owner(file)
        versions = self._versions(wanted)
        steps = self._plan(wanted, versions, owner)
        done = [step for step in steps if prune or not step.pruned]
        for step in done:
            if step.make:
                self._make(step.make, versions[step.make.pipeline], step.old, owner)
            self._switch(step)
        return done

    def paused(self) -> list[Paused]:
        """Return recurring runs of the file that are paused on the host, also after `apply`."""
        file = read(self._file)
        owner, names = self._owner(file), {one.name for one in planned(file)}
        found = self.there()
        gone = [*chain(*unwanted(found, owner, names))]
        return [Paused(it) for it in found if it.owner == owner and it.paused and it not in gone]

    def resume(self) -> list[Step]:
        """Enable the paused recurring runs of the file, and return the steps that were done."""
        steps = [Step("resume", it.one.name, old=it.one) for it in self.paused()]
        for step in steps:
            self._switch(step)
        return steps

    def there(self) -> list[Recurring]:
        """Return all recurring runs of the host."""
        return there(self._client)

    def foreign(self) -> list[Foreign]:
        """Return the recurring runs of our pipelines that a person made by hand."""
        return foreign(self._client, [graph.name for graph in GRAPHS.values()], self.there())

    def _plan(
        self, wanted: Sequence[Planned], versions: Mapping[str, PipelineVersion], owner: str
    ) -> list[Step]:
        found = self.there()
        gone = chain(*unwanted(found, owner, {it.name for it in wanted}))
        paused = [one for one in gone if one.paused]
        return plan(wanted, found, versions, owner, active(self._client, paused))

    def _switch(self, step: Step) -> None:
        verb, id_ = step.verb, step.old.id if step.old else ""
        with host_errors(url_of(self._client)):
            if verb in ("replace", "disable") and not (step.old and step.old.paused):
                self._client.disable_recurring_run(id_)
            elif verb == "delete":
                self._client.delete_recurring_run(id_)
            elif verb == "resume":
                self._client.enable_recurring_run(id_)

    def _versions(self, wanted: Iterable[Planned]) -> dict[str, PipelineVersion]:
        names = sorted({one.pipeline for one in wanted})
        return {name: choose(self._client, name, root=self._root) for name in names}

    def _owner(self, file: ScheduleFile) -> str:
        return file.owner or quote(self._file.name)

    def _make(
        self, one: Planned, version: PipelineVersion, old: Recurring | None, owner: str
    ) -> None:
        replaces = f" replaces {old.id}" if old else ""
        mark = f"[car-detection {owner} {digest(one, version)}{replaces}]"
        with host_errors(url_of(self._client)):
            self._client.create_recurring_run(
                self._client.create_experiment(EXPERIMENT).experiment_id,
                one.name,
                description=f"From {self._file.name}, version {version.name}. {mark}",
                cron_expression=one.cron,
                max_concurrency=AT_ONCE,
                no_catchup=True,
                params=dict(one.parameters),
                pipeline_id=version.pipeline_id,
                version_id=version.id,
                enabled=not (old and old.paused),
                service_account=pipeline_account(),
            )


def _refuse_what_is_ambiguous(name: str, named: Sequence[Recurring], owner: str) -> None:
    ids = ", ".join(one.id for one in named)
    if (times := len(named)) > 1:
        raise UserError(f"the host has {name} {times} times ({ids}), expected once: delete one")
    if named and named[0].owner != owner:
        whose = f"{named[0].owner} made" if named[0].owner else "this file did not make"
        raise UserError(f"the host has a {name} that {whose} ({ids}), expected {owner}: delete it")
