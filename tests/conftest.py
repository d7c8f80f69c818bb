"""Options and fixtures every test may use. Database and stream are real ones."""

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from components.shared.contracts.events import TOPICS
from components.shared.contracts.model import PackageLayout
from components.shared.store.postgres import connect, migrate
from components.shared.store.registry import Registry
from pipelines.local.database import EmbeddedDatabase
from pipelines.local.stream import EmbeddedStream
from tests.support.database_pool import DatabasePool
from tests.support.running_servers import Running
from tests.support.tiny_packages import make_package

MAX_PROCESSES = 4
PARTITIONS = 4  # of each topic, as in the embedded cluster
# No test pulls the plug, so no test waits for the disk.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# A machine that is busy with other work must not make a test fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the golden files")


def pytest_xdist_auto_num_workers() -> int:
    """Run in one process where all tests share the topics of a real cluster.

    Otherwise in one more than there are processors, for many tests wait for processes that they
    started, but in four at most: one may take 1.5 GB.
    """
    shared = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    return 1 if shared else min(len(os.sched_getaffinity(0)) + 1, MAX_PROCESSES)


def pytest_configure() -> None:
    """Let images be named by tag, whatever was pushed from this checkout."""
    os.environ["IMAGE_DIGESTS"] = ""


@pytest.fixture(scope="session")
def embedded_database(tmp_path_factory):
    """A PostgreSQL server with one migrated database, the template of all others."""
    with EmbeddedDatabase(tmp_path_factory.mktemp("postgres"), NOT_DURABLE) as server:
        connection = connect(server.url())
        migrate(connection)
        connection.close()
        yield server


@pytest.fixture(scope="session")
def databases(embedded_database):
    """Lends the databases of that server."""
    return DatabasePool(embedded_database)


@pytest.fixture
def database(databases, embedded_database):
    """The URL of a migrated database without rows."""
    name = databases.take()
    yield embedded_database.url(name)
    databases.give_back(name)


@pytest.fixture
def connection(database):
    """A connection to that database, as its owner."""
    with closing(connect(database)) as connection:
        yield connection


@pytest.fixture
def registry(connection):
    """The registry of that database."""
    return Registry(connection)


@pytest.fixture(scope="session")
def real_kafka():
    """Administers the cluster that KAFKA_BOOTSTRAP_SERVERS names; None where it names none.

    Tests delete its topics, so it must not have them when tests begin.
    """
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if not servers:
        yield None
        return
    from tests.support.kafka_admin import Admin

    kafka = Admin(servers)
    if there := kafka.topics().intersection(TOPICS):
        pytest.exit(
            f"the Kafka at {servers} has a topic {min(there)}, which tests would delete: "
            "name a cluster without it",
            returncode=2,
        )
    yield kafka
    kafka.delete()


@pytest.fixture
def stream(tmp_path, real_kafka):
    """The bootstrap servers of a cluster that speaks Kafka's protocol; its topics are empty."""
    if real_kafka:
        real_kafka.fresh(PARTITIONS)
        yield os.environ["KAFKA_BOOTSTRAP_SERVERS"]
        return
    with EmbeddedStream(tmp_path / "stream") as cluster:
        yield cluster.bootstrap_servers


@pytest.fixture
def object_store(tmp_path):
    """The URL of a fresh, empty object store."""
    return (tmp_path / "objects").as_uri()


@pytest.fixture
def tiny_package(tmp_path):
    """Make packages whose network is `tiny_graph`; each with three golden pictures.

    Arguments of what it returns are those of `make_package`; without a folder it is a new one.
    """
    made = iter(range(1000))

    def make(folder: Path | None = None, *others: Any, **settings: Any) -> PackageLayout:
        return make_package(folder or tmp_path / f"package-{next(made)}", *others, **settings)

    return make


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests; those who need to know what is served take a name of their own."""
    running = Running(tmp_path_factory.mktemp("server"), name="stable")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def front_door(server):
    """A reverse proxy with that server behind it, and another one for candidates."""
    candidate = Running(server.folder, "--slot", "candidate", name="candidate")
    door = Running(server.folder, job="route_requests", name="door", sides=(server, candidate))
    yield door
    door.stop()
    candidate.stop()


@pytest.fixture
def golden(request: pytest.FixtureRequest):
    """Compare text with `golden/<name>` beside the test; `--accept` rewrites it."""

    def check(name: str, text: str) -> None:
        file: Path = request.path.parent / "golden" / name
        if request.config.getoption("--accept"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        assert text == file.read_text(), f"if this is meant: pytest --accept {request.path}"

    return check
