"""Recurring runs as a file has them, on a host that can make and delete them, but not change.

Whose file, and which content, a recurring run comes from stands in its description. A change
makes the new one first, which names the one it replaces, and deletes that one then: whoever is
killed in between leaves two, of which the next time knows which to delete. What is paused stays
paused.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from kfp import Client

from components.contracts.record import digest_of
from components.contracts.refusal import Refusal
from components.kubeflow.client import asking, url_of
from components.kubeflow.runs import EXPERIMENT, PAGE, Version, account
from pipelines.kubeflow.schedule_file import FILE, Planned, ScheduleFile, planned, read
from pipelines.kubeflow.versions import ROOT, choose

AT_ONCE = 1  # runs of one schedule
MARK = re.compile(
    r"\[car-detection (?P<owner>\S+) (?P<digest>[0-9a-f]{64})(?: replaces (?P<old>[^\]]+))?\]"
)


class Recurring(NamedTuple):
    """A recurring run, as a host has it.

    Attributes:
        id: The host's.
        name: Not unique on the host.
        paused: Whether it does not start anything.
        owner: Whose file it was made from; empty if we did not make it.
        digest: Of what it was made from.
        replaces: Id of the one that it was made to replace; empty if there was none.
    """

    id: str
    name: str
    paused: bool
    owner: str = ""
    digest: str = ""
    replaces: str = ""


class Step(NamedTuple):
    """One thing to do on a host.

    Attributes:
        verb: `create`, `replace`, `delete` what was replaced before, or `prune`.
        name: Of the recurring run.
        make: What to make, if anything.
        old: What is deleted afterwards, if anything.
    """

    verb: str
    name: str
    make: Planned | None = None
    old: Recurring | None = None

    def __str__(self) -> str:
        """Return it as one line."""
        old = f" {self.old.id}{' (paused)' if self.old.paused else ''}" if self.old else ""
        made = f": {self.make.cron} {self.make.parameters}" if self.make else ""
        return f"{self.verb:<8}{self.name}{old}{made}"


def plan(
    wanted: Sequence[Planned],
    there: Iterable[Recurring],
    versions: Mapping[str, Version],
    owner: str,
) -> list[Step]:
    """Return what makes a host have what is wanted, in a safe order.

    Args:
        wanted: What the file asks for.
        there: What the host has.
        versions: The version to run, by pipeline.
        owner: Whose file it is; nothing of others is touched.

    Raises:
        Refusal: If two of one name are there, or one that this file did not make.
    """
    there = list(there)
    ours = [one for one in there if one.owner == owner]
    replaced = {one.replaces for one in ours}
    steps = [Step("delete", one.name, old=one) for one in ours if one.id in replaced]
    names = {one.name for one in wanted}
    for planned_one in wanted:
        named = [o for o in there if o.name == planned_one.name and o.id not in replaced]
        _refuse_what_is_ambiguous(planned_one.name, named, owner)
        if not named:
            steps.append(Step("create", planned_one.name, planned_one))
        elif named[0].digest != digest(planned_one, versions[planned_one.pipeline]):
            steps.append(Step("replace", planned_one.name, planned_one, named[0]))
    strays = [one for one in ours if one.name not in names and one.id not in replaced]
    return steps + [Step("prune", one.name, old=one) for one in strays]


def digest(planned_one: Planned, version: Version) -> str:
    """Return the digest of all that makes a recurring run what it is.

    The host's ids of pipeline and version belong to it: what was deleted and uploaded again
    has the same name, but a recurring run of the old one starts nothing any more.
    """
    told = {"version": version._asdict(), "at_once": AT_ONCE}
    told |= {"experiment": EXPERIMENT, "account": account()}
    return digest_of({**planned_one.model_dump(), **told})


class Schedules:
    """The schedules of a file, on a host.

    Args:
        client: Speaks to the host.
        file: The schedules.
        root: A folder in the git checkout whose version is taken if it is uploaded.
    """

    def __init__(self, client: Client, file: Path = FILE, root: Path = ROOT) -> None:
        """Nothing is asked yet."""
        self._client, self._file, self._root = client, file, root

    def diff(self) -> list[Step]:
        """Return what `apply` would do; what is only pruned on demand is the last of it.

        Raises:
            Refusal: If the file is wrong, a pipeline is not uploaded, or the host has two
                recurring runs of one name or one that we did not make.
        """
        told = read(self._file)
        wanted = planned(told)
        return plan(wanted, self.there(), self._versions(wanted), self._owner(told))

    def apply(self, *, prune: bool = False) -> list[Step]:
        """Make the host have what the file asks for, and return what was done.

        Args:
            prune: Whether to delete what this file made and has no more.

        Raises:
            Refusal: As `diff` does, or if the host does not take it.
        """
        told = read(self._file)
        wanted, owner = planned(told), self._owner(told)
        versions = self._versions(wanted)
        steps = plan(wanted, self.there(), versions, owner)
        done = [step for step in steps if prune or step.verb != "prune"]
        for step in done:
            if step.make:
                self._make(step.make, versions[step.make.pipeline], step.old, owner)
            if step.old:
                with asking(url_of(self._client)):
                    self._client.delete_recurring_run(step.old.id)
        return done

    def there(self) -> list[Recurring]:
        """Return every recurring run of the host, ours or not."""
        found: list[Recurring] = []
        token = ""
        mine = self._client.get_user_namespace() or None
        while True:
            with asking(url_of(self._client)):
                page = self._client.list_recurring_runs(token, PAGE, namespace=mine)
            for one in page.recurring_runs or []:
                mark = MARK.search(one.description or "")
                marked = [part or "" for part in mark.groups()] if mark else []
                paused = "DISABLE" in f"{one.mode} {one.status}"
                found.append(
                    Recurring(str(one.recurring_run_id), str(one.display_name), paused, *marked)
                )
            token = page.next_page_token
            if not token:
                return found

    def _versions(self, wanted: Iterable[Planned]) -> dict[str, Version]:
        names = sorted({one.pipeline for one in wanted})
        return {name: choose(self._client, name, root=self._root) for name in names}

    def _owner(self, told: ScheduleFile) -> str:
        return told.owner or quote(self._file.name)

    def _make(self, one: Planned, version: Version, old: Recurring | None, owner: str) -> None:
        replaces = f" replaces {old.id}" if old else ""
        mark = f"[car-detection {owner} {digest(one, version)}{replaces}]"
        with asking(url_of(self._client)):
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
                service_account=account(),
            )


def _refuse_what_is_ambiguous(name: str, named: Sequence[Recurring], owner: str) -> None:
    ids = ", ".join(one.id for one in named)
    if len(named) > 1:
        raise Refusal(f"the host has {name} {len(named)} times ({ids}), expected once: delete one")
    if named and named[0].owner != owner:
        whose = f"{named[0].owner} made" if named[0].owner else "this file did not make"
        raise Refusal(f"the host has a {name} that {whose} ({ids}), expected {owner}: delete it")
