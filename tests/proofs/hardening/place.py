"""Where a scenario takes place: a stream of its own, a fresh database, an object store."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.local.database import EmbeddedDatabase
from pipelines.local.stream import EmbeddedStream
from tests.proofs.kafka.lake import Lake, lake
from tests.support.ingester_process import Ingester

STREAM = "proof"


@dataclass(slots=True, kw_only=True)
class Place:
    """What a scenario works with.

    Attributes:
        folder: For its files.
        servers: Bootstrap servers of the stream.
        lake: The database.
    """

    folder: Path
    servers: str
    lake: Lake
    started: list[Ingester] = field(default_factory=list)

    @property
    def objects(self) -> Path:
        """Folder of the object store."""
        return self.folder / "objects"

    def ingester(self, *options: str, environment: Mapping[str, str] | None = None) -> Ingester:
        """Start an ingester; it is gone when the scenario ends."""
        base = {
            "DATABASE_URL": self.lake.url, "KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "OBJECT_STORE_URL": self.objects.as_uri(), "KAFKA_STREAM_ID": STREAM,
        }  # fmt: skip
        log = self.folder / f"ingester-{len(self.started)}.log"
        self.started.append(Ingester(log, *options, environment={**base, **(environment or {})}))
        return self.started[-1]


@contextmanager
def place(folder: Path, database: EmbeddedDatabase) -> Iterator[Place]:
    """Make all of it, and end every ingester afterwards."""
    folder.mkdir(parents=True)
    with EmbeddedStream(folder / "stream") as stream, lake(database) as made:
        here = Place(folder=folder, servers=stream.bootstrap_servers, lake=made)
        try:
            yield here
        finally:
            for ingester in here.started:
                ingester.kill()
