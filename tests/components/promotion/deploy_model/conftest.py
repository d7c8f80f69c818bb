from contextlib import closing

import pytest

from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from tests.support.server_rollouts import Bench


@pytest.fixture
def bench(database, object_store, front_door, tiny_package):
    with closing(connect(database)) as connection:
        bench = Bench(connection, Objects(object_store), front_door, tiny_package)
        with closing(bench.target):
            yield bench
