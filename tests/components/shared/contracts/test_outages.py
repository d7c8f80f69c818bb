"""What passes by itself is waited for, and nothing else is done twice."""

import kfp_server_api
import kubernetes.client
import psycopg2
import pytest
import urllib3
from kafka.errors import KafkaTimeoutError
from obstore.exceptions import GenericError, PermissionDeniedError

from components.shared.cluster.client import ClusterError
from components.shared.contracts.errors import UserError
from components.shared.contracts.outages import is_outage, retry_outages
from components.shared.contracts.policy import OutagePolicy
from components.shared.kubeflow.client import HostError
from components.shared.store.postgres import DatabaseUnreachableError, connect
from components.shared.store.stream import StreamError


def raised_from(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def of_kubernetes(status: int) -> Exception:
    return raised_from(ClusterError("pods: refused"), kubernetes.client.ApiException(status=status))


def of_pipelines(status: int) -> Exception:
    return raised_from(HostError("answers"), kfp_server_api.ApiException(status=status))


PASSING = {
    "a database that restarts": DatabaseUnreachableError("the database system is starting up"),
    "a connection that was lost": psycopg2.OperationalError("server closed the connection"),
    "the same connection used again": psycopg2.InterfaceError("connection already closed"),
    "a writer that moved": psycopg2.errors.ReadOnlySqlTransaction("cannot execute INSERT"),
    "an object store that is away": GenericError("error sending request"),
    "a stream that is away": raised_from(StreamError("no Kafka answers"), KafkaTimeoutError()),
    "an API server that restarts": of_kubernetes(503),
    "an API server that is busy": of_kubernetes(429),
    "a network that is cut": raised_from(
        ClusterError("no API server answers"), urllib3.exceptions.ProtocolError()
    ),
    "a host of pipelines that restarts": of_pipelines(502),
}
LASTING = {
    "a refusal": UserError("image size is 300"),
    "a wrong password": DatabaseUnreachableError("FATAL: password authentication failed for user"),
    "a database that is not there": DatabaseUnreachableError(
        'FATAL: database "carz" does not exist'
    ),
    "a right that lacks": of_kubernetes(403),
    "a run that the host refuses": of_pipelines(400),
    "a key that may not read": PermissionDeniedError("403"),
    "a wrong protocol": StreamError("KAFKA_SECURITY_PROTOCOL is 'TLS'"),
    "a mistake of ours": KeyError("DATABASE_URL"),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_ends_by_itself_is_an_outage(name):
    assert is_outage(PASSING[name])


@pytest.mark.parametrize("name", LASTING)
def test_what_somebody_must_mend_is_none(name):
    assert not is_outage(LASTING[name])


def test_a_database_that_does_not_answer_is_an_outage():
    with pytest.raises(DatabaseUnreachableError) as refused:
        connect("postgresql://cars@127.0.0.1:1/cars")

    assert is_outage(refused.value)


class Work:
    """Work that fails some times before it succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.done, self.log = list(failures), 0, []

    def __call__(self) -> str:
        self.done += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


def retried(work: Work, **policy) -> str:
    return retry_outages(
        work, lambda: work.log.append("cleaned"), OutagePolicy(**policy), work.log.append
    )


def test_work_is_done_again_after_each_outage_with_a_line_and_a_wait(capsys):
    work = Work(GenericError("no route"), GenericError("no route"))

    assert retried(work) == "done"
    assert work.log == [5.0, "cleaned", 10.0, "cleaned"]
    assert capsys.readouterr().out.splitlines() == [
        "» no route; attempt 2 of 6 in 5 s", "» no route; attempt 3 of 6 in 10 s",
    ]  # fmt: skip


def test_an_outage_that_does_not_end_ends_the_task():
    work = Work(*[GenericError("no route")] * 9)

    with pytest.raises(GenericError):
        retried(work, max_attempts=3)

    assert work.done == 3


@pytest.mark.parametrize("attempts", [1, 6])
def test_a_refusal_is_not_tried_again(attempts):
    work = Work(UserError("image size is 300"))

    with pytest.raises(UserError):
        retried(work, max_attempts=attempts)

    assert (work.done, work.log) == (1, [])
