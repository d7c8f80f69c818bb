"""Retry work during an outage of the database, object store, stream or Kubernetes API.

Kubeflow Pipelines 2.17 as it is installed does not retry a task that fails by itself, only one
whose pod is lost. So a task waits for an outage inside its own process. An error is an outage if
it, or its cause, is of a class below. Classes are named, not imported: an image has only the
drivers that its jobs use.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from components.shared.contracts.policy import OutagePolicy
from components.shared.contracts.progress import log_progress

T = TypeVar("T")

OUTAGES = frozenset(
    {
        "psycopg2.InterfaceError",  # the connection was lost before
        "psycopg2.OperationalError",
        "psycopg2.errors.IdleInTransactionSessionTimeout",  # the process was paused
        "psycopg2.errors.ReadOnlySqlTransaction",  # the writer of a cluster has just moved
        "obstore.exceptions.GenericError",  # after the library's own retries
        "kafka.errors.RetriableError",
        "urllib3.exceptions.HTTPError",
    }
)
ANSWERS = frozenset(
    {"kubernetes.client.exceptions.ApiException", "kfp_server_api.exceptions.ApiException"}
)
PASSING_STATUS = frozenset({0, 408, 429, 500, 502, 503, 504})
# PostgreSQL says these by the same class as an outage, but they do not end by themselves.
SETTINGS = re.compile(
    r"authentication failed|does not exist|no pg_hba\.conf entry|permission denied"
)


def is_outage(error: BaseException) -> bool:
    """Return whether a retry of the same work may succeed without any change by a person."""
    return any(_passes(one) for one in _chain(error))


def outlast(
    work: Callable[[], T],
    before_retry: Callable[[], None],
    policy: OutagePolicy,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Run work, retry it after each outage, and return its result.

    Args:
        work: May be done twice: what was done before does not change its outcome.
        before_retry: Removes what a failed attempt has left.
        policy: How often, and after which waits.
        sleep: Waits so many seconds.

    Raises:
        Exception: What the work raises if it is no outage, or the last of too many.
    """
    for attempt in range(1, policy.max_attempts):
        try:
            return work()
        except Exception as error:
            if not is_outage(error):
                raise
            wait_s = policy.wait_s(attempt)
            log_progress(
                f"{_line(error)}; attempt {attempt + 1} of {policy.max_attempts} in {wait_s:g} s"
            )
        sleep(wait_s)
        before_retry()
    return work()


def _passes(error: BaseException) -> bool:
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if names & ANSWERS:
        return (getattr(error, "status", None) or 0) in PASSING_STATUS
    return bool(names & OUTAGES) and not SETTINGS.search(str(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or repr(error)
