import pytest

from components.store.postgres import connect
from components.store.registry import Registry


@pytest.fixture
def connection(database):
    connection = connect(database)
    yield connection
    connection.close()


@pytest.fixture
def registry(connection):
    return Registry(connection)
