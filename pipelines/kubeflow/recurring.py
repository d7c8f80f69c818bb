"""Recurring runs of a host: list them, find active runs, and name foreign and paused ones."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from kfp import Client

from components.shared.contracts.account import pipeline_account
from components.shared.contracts.record import digest_of
from components.shared.kubeflow.client import host_errors, url_of
from components.shared.kubeflow.runs import (
    EXPERIMENT,
    FINAL_STATES,
    PAGE,
    PipelineVersion,
    find_pipeline,
)
from pipelines.kubeflow.schedule_file import Planned

MARK = re.compile(
    r"\[car-detection (?P<owner>\S+) (?P<digest>[0-9a-f]{64})(?: replaces (?P<old>[^\]]+))?\]"
)
AT_ONCE = 1  # runs of one schedule


class Recurring(NamedTuple):
    """A recurring run on a host.

    Attributes:
        id: Id on the host.
        name: Name on the host, where it is not unique.
        paused: Whether it is disabled.
        owner: Owner of the file that it was made from; empty if no file made it.
        digest: Digest of the content that it was made from.
        replaces: Id of the one that it was made to replace; empty if there was none.
        created: When it was made, or None.
        pipeline: Id of the pipeline that it runs; empty if it has a specification of its own.
        catches_up: Whether it starts runs that it missed.
        at_once: Maximum number of concurrent runs.
        account: Service account of its pods.
    """

    id: str
    name: str
    paused: bool
    owner: str = ""
    digest: str = ""
    replaces: str = ""
    created: datetime | None = None
    pipeline: str = ""
    catches_up: bool = False
    at_once: int = AT_ONCE
    account: str = ""


class Foreign(NamedTuple):
    """A recurring run of one of our pipelines that a person made by hand.

    Attributes:
        one: The recurring run.
        pipeline: Name of the pipeline on the host.
    """

    one: Recurring
    pipeline: str

    def __str__(self) -> str:
        """Return it as one line, with its unsafe settings."""
        unsafe = []
        if self.one.catches_up:
            unsafe.append("catch-up is on: it starts every run that it missed")
        if self.one.at_once > AT_ONCE:
            unsafe.append(f"up to {self.one.at_once} runs at once, expected {AT_ONCE}")
        if self.one.account != pipeline_account():
            named = self.one.account or "the host's own"
            unsafe.append(f"its account is {named}, expected {pipeline_account()}")
        paused = " (paused)" if self.one.paused else ""
        head = f"{'foreign':<14} {self.one.name} {self.one.id}{paused}"
        return f"{head}: {self.pipeline}; {'; '.join(unsafe) or 'made by hand'}"


class Paused(NamedTuple):
    """A recurring run that the file asks for and that is disabled on the host.

    A person paused it, or it was disabled when the file did not have it: the host does not
    store the difference.
    """

    one: Recurring

    def __str__(self) -> str:
        """Return it as one line, with what to do."""
        head = f"{'paused':<14} {self.one.name} {self.one.id}"
        return f"{head}: the file asks for it and it starts nothing; apply --resume starts it again"


def there(client: Client) -> list[Recurring]:
    """Return all recurring runs of a host."""
    mine = client.get_user_namespace() or None
    pages = _pages(client, lambda token: client.list_recurring_runs(token, PAGE, namespace=mine))
    return [_recurring(one) for page in pages for one in page.recurring_runs or []]


def active(client: Client, some: Iterable[Recurring]) -> set[str]:
    """Return the ids of the recurring runs that have a run which is not over.

    Args:
        client: Client of the host.
        some: Recurring runs; without any, no request is sent.
    """
    wanted = {one.id: one.created for one in some}
    known = [created for created in wanted.values() if created]
    since = min(known) if len(known) == len(wanted) and known else None
    return {
        run.recurring_run_id
        for run in (_runs(client, since) if wanted else ())
        if run.recurring_run_id in wanted and run.state not in FINAL_STATES
    }


def foreign(client: Client, pipelines: Iterable[str], found: Iterable[Recurring]) -> list[Foreign]:
    """Return the recurring runs of our pipelines that no file of schedules made.

    Args:
        client: Client of the host.
        pipelines: Names of our pipelines on the host.
        found: The recurring runs of the host.
    """
    strangers = [one for one in found if not one.owner]
    names = {find_pipeline(client, name): name for name in pipelines} if strangers else {}
    return [Foreign(one, names[one.pipeline]) for one in strangers if one.pipeline in names]


def _runs(client: Client, since: datetime | None) -> Iterator[Any]:
    """Yield the runs of a host, the latest first, back to a time."""
    for page in _pages(client, lambda token: client.list_runs(token, PAGE, "created_at desc")):
        for run in page.runs or []:
            if since and run.created_at and run.created_at < since:
                return
            yield run


def _pages(client: Client, ask: Callable[[str], Any]) -> Iterator[Any]:
    """Yield the pages of a list, each requested with the token of the page before."""
    token = ""
    while True:
        with host_errors(url_of(client)):
            page = ask(token)
        yield page
        if not (token := page.next_page_token):
            return


def _recurring(one: Any) -> Recurring:
    mark = MARK.search(one.description or "")
    owner, digest, replaces = (part or "" for part in (mark.groups() if mark else ("", "", "")))
    reference = one.pipeline_version_reference
    return Recurring(
        str(one.recurring_run_id),
        str(one.display_name),
        "DISABLE" in f"{one.mode} {one.status}",
        owner,
        digest,
        replaces,
        one.created_at,
        str(reference.pipeline_id or "") if reference else "",
        not one.no_catchup,
        int(one.max_concurrency or AT_ONCE),
        str(one.service_account or ""),
    )


def digest(planned_one: Planned, version: PipelineVersion) -> str:
    """Return the digest of all that defines a recurring run.

    The host's ids of pipeline and version belong to it, because they change when one is deleted
    and uploaded again under its old name; recurring runs of the old one start nothing.

    Args:
        planned_one: The recurring run, as the file says.
        version: Version of its pipeline.
    """
    settings = {"version": version._asdict(), "at_once": AT_ONCE}
    settings |= {"experiment": EXPERIMENT, "account": pipeline_account()}
    return digest_of({**planned_one.model_dump(), **settings})
