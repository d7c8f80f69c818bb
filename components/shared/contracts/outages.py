"""Retry work during an outage of the database, object store, stream or Kubernetes API.

Kubeflow Pipelines 2.17 as it is installed does not retry a task that fails by itself, only one
whose pod is lost. So a task waits for an outage inside its own process. An error is an outage if
it, or its cause, is of a driver's class below. Classes are named, not imported: an image has only
the drivers that its jobs use. An `OutageError` without such a cause is not retried here: the code
that raises it has waited already.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from components.shared.contracts.policy import OutagePolicy
from components.shared.contracts.progress import log_progress

T = TypeVar("T")

DRIVER_OUTAGES = frozenset(
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
HTTP_ERRORS = frozenset(
    {"kubernetes.client.exceptions.ApiException", "kfp_server_api.exceptions.ApiException"}
)
RETRIED_STATUS = frozenset({0, 408, 429, 500, 502, 503, 504})
# PostgreSQL says these by the same class as an outage, but they do not end by themselves.
NOT_OUTAGES = re.compile(
    r"authentication failed|does not exist|no pg_hba\.conf entry|permission denied"
)


def is_outage(error: BaseException) -> bool:
    """Return whether a retry of the same work may succeed without any change by a person."""
    return any(_is_listed(cause) for cause in _causes(error))


def retry_outages(
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
            next_attempt = f"attempt {attempt + 1} of {policy.max_attempts} in {wait_s:g} s"
            log_progress(f"{_sentence(error)}; {next_attempt}")
        sleep(wait_s)
        before_retry()
    return work()


def _is_listed(error: BaseException) -> bool:
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if names & HTTP_ERRORS:
        return (getattr(error, "status", None) or 0) in RETRIED_STATUS
    return bool(names & DRIVER_OUTAGES) and not NOT_OUTAGES.search(str(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or repr(error)
