"""Where a scenario takes place: a cluster with fresh topics, a fresh database, an object store."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.local.database import EmbeddedDatabase
from tests.proofs.kafka.brokers import Brokers
from tests.proofs.kafka.lake import Lake, lake
from tests.support.ingester_process import Ingester
from tests.support.kafka_admin import Admin

_numbers = itertools.count()


@dataclass(slots=True, kw_only=True)
class Place:
    """What a scenario works with.

    Attributes:
        folder: For its files.
        servers: Bootstrap servers at which nothing is forbidden.
        brokers: The cluster's processes; None if it is somebody's.
        admin: Of the cluster.
        database: The PostgreSQL server.
        lake: Its database.
        long: Whether figures are those of the whole proof, or of its short form.
    """

    folder: Path
    servers: str
    brokers: Brokers | None
    admin: Admin
    database: EmbeddedDatabase
    lake: Lake
    long: bool
    started: list[Ingester] = field(default_factory=list)

    @property
    def own(self) -> Brokers:
        """The brokers, for scenarios that need them to be ours."""
        assert self.brokers is not None
        return self.brokers

    @property
    def objects(self) -> Path:
        """Folder of the object store."""
        return self.folder / "objects"

    def ingester(
        self, *options: str, environment: Mapping[str, str] | None = None, lake: Lake | None = None
    ) -> Ingester:
        """Start an ingester; it is gone when the scenario ends."""
        log = self.folder / f"ingester-{next(_numbers)}.log"
        base = {
            "DATABASE_URL": (lake or self.lake).url,
            "KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "OBJECT_STORE_URL": self.objects.as_uri(),
        }
        self.started.append(Ingester(log, *options, environment={**base, **(environment or {})}))
        return self.started[-1]

    def another_lake(self, stack: ExitStack) -> Lake:
        """Make one more database, until a stack is closed."""
        return stack.enter_context(lake(self.database))


@contextmanager
def place(
    folder: Path, brokers: Brokers | str, database: EmbeddedDatabase, long: bool
) -> Iterator[Place]:
    """Make topics anew and a database, and afterwards end every ingester that was started.

    Args:
        folder: For the scenario's files.
        brokers: The cluster, or the bootstrap servers of somebody's.
        database: The PostgreSQL server.
        long: Whether figures are those of the whole proof.
    """
    servers = brokers if isinstance(brokers, str) else brokers.servers()
    own = None if isinstance(brokers, str) else brokers
    admin = Admin(servers)
    admin.fresh()
    folder.mkdir(parents=True)
    with lake(database) as made:
        here = Place(
            folder=folder, servers=servers, brokers=own, admin=admin,
            database=database, lake=made, long=long,
        )  # fmt: skip
        try:
            yield here
        finally:
            for ingester in here.started:
                ingester.kill()
