"""A rollout is claimed by a connection; whoever comes second, or without a database, waits."""

import socket
import time
from contextlib import closing

import pytest

from components.shared.contracts.errors import OutageError
from components.shared.contracts.outages import is_outage
from components.shared.store.postgres import KEEPALIVES, connect
from components.shared.store.registry import Registry


def test_a_rollout_that_another_one_has_claimed_is_an_outage(database):
    with closing(connect(database)) as first, closing(connect(database)) as second:
        Registry(first).claim("car-parks")

        with pytest.raises(
            OutageError, match="another model of car-parks is being rolled out: wait"
        ):
            Registry(second).claim("car-parks")


def end(connection, database):
    with closing(connect(database)) as other, other, other.cursor() as cursor:
        pid = connection.info.backend_pid
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


@pytest.mark.parametrize(
    "lose",
    [end, lambda connection, database: connection.close()],
    ids=["ended by the server", "closed here"],
)
def test_without_a_database_nothing_can_be_claimed_and_a_task_waits_for_it(database, lose):
    with closing(connect(database)) as connection:
        lose(connection, database)

        with pytest.raises(
            OutageError, match="the rollout of car-parks cannot be claimed"
        ) as outage:
            Registry(connection).claim("car-parks")
    assert is_outage(outage.value)


def test_a_connection_probes_a_silent_server(database):
    with closing(connect(database)) as connection:
        own = socket.socket(fileno=connection.fileno())
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        found = [own.getsockopt(socket.IPPROTO_TCP, option) for option in options]
        own.detach()

    assert found == list(KEEPALIVES.values())


def test_the_address_may_say_otherwise(database):
    with closing(connect(f"{database}?keepalives_idle=7")) as connection:
        assert connection.info.dsn_parameters["keepalives_idle"] == "7"


def test_the_server_probes_who_has_claimed_a_rollout(database):
    with closing(connect(database)) as connection:
        Registry(connection).claim("car-parks")
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('tcp_keepalives_idle')")
            assert cursor.fetchall() == [(str(KEEPALIVES["keepalives_idle"]),)]


def test_one_rollout_of_a_dataset_at_a_time_and_a_lost_connection_claims_nothing(
    registry, database
):
    other = connect(database)
    Registry(other).claim("car-parks")

    with pytest.raises(OutageError, match="another model of car-parks is being rolled out"):
        registry.claim("car-parks")
    registry.claim("highway")
    other.close()
    deadline = time.monotonic() + 5
    while True:
        try:
            return registry.claim("car-parks")
        except OutageError:  # the server has not noticed yet
            assert time.monotonic() < deadline
            time.sleep(0.01)
