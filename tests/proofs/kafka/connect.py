"""Kafka Connect with Debezium's JDBC sink: the worker, and its costs beside the ingester's."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from components.shared.contracts.events import FRAMES_TOPIC
from pipelines.local.database import free_port
from pipelines.local.processes import Child, Part
from tests.proofs.kafka.jars import jars, java
from tests.proofs.kafka.lake import Lake
from tests.support.waiting import await_true

LONG_S = 300.0
TABLE = "connect_events"

WORKER = """
bootstrap.servers={servers}
plugin.path={plugins}
plugin.discovery=only_scan
offset.storage.file.filename={folder}/offsets
listeners=http://127.0.0.1:{port}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
consumer.auto.offset.reset=earliest
"""
# The body is stored as it came, unread, under the place of the message.
SINK = """
name=sink
connector.class=io.debezium.connector.jdbc.JdbcSinkConnector
topics={topic}
connection.url=jdbc:postgresql://{address}/{database}
connection.username={user}
connection.password={password}
insert.mode=upsert
primary.key.mode=kafka
schema.evolution=basic
collection.name.format={table}
transforms=hoist
transforms.hoist.type=org.apache.kafka.connect.transforms.HoistField$Value
transforms.hoist.field=body
"""


class Connect(Part):
    """A standalone worker of Kafka Connect with one JDBC sink.

    Args:
        folder: For its settings and log.
        servers: Bootstrap servers of the cluster.
        lake: Whose database takes the rows.
    """

    def __init__(self, folder: Path, servers: str, lake: Lake) -> None:
        folder.mkdir(parents=True)
        url = urlsplit(lake.owner)
        worker, sink = folder / "worker.properties", folder / "sink.properties"
        plugins = jars("sink").parent / "plugins"
        worker.write_text(
            WORKER.format(
                servers=servers, plugins=_plugin(plugins), folder=folder, port=free_port()
            )
        )
        sink.write_text(
            SINK.format(
                topic=FRAMES_TOPIC, address=f"{url.hostname}:{url.port}", table=TABLE,
                database=url.path[1:], user=url.username, password=url.password,
            )
        )  # fmt: skip
        program, main = java(), "org.apache.kafka.connect.cli.ConnectStandalone"
        assert program is not None
        options = ["-Xmx512m", "-XX:+UseSerialGC", "-cp", f"{jars('broker')}/*"]
        command = [program, *options, main, str(worker), str(sink)]
        log, by = folder / "log.txt", signal.SIGKILL
        self._child = Child("Kafka Connect", command, log, env=os.environ, death_signal=by)
        self.process = psutil.Process(self._child.process.pid)

    def failure(self) -> str:
        """Return why its sink failed, as its log has it; empty if it did not."""
        _, failed, text = self._child.output().partition("unrecoverable exception")
        return text.strip().split("\n\tat ")[0][-300:] if failed else ""

    def stop(self) -> None:
        """End it."""
        self._child.stop(by=signal.SIGKILL)


def _plugin(folder: Path) -> Path:
    """Return a folder of plugins that holds the sink's jars as one."""
    folder.mkdir(exist_ok=True)
    link = folder / "sink"
    if not link.exists():
        link.symlink_to(jars("sink"))
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A process that stores what comes, and how its work is seen.

    Attributes:
        process: Its own.
        lake: Where it stores.
        stored: Counts what it has stored.
        failure: Says why it failed, or nothing.
    """

    process: psutil.Process
    lake: Lake
    stored: Callable[[], int]
    failure: Callable[[], str] = str

    def cpu(self) -> tuple[float, float]:
        """Return the CPU seconds so far: of the process, and of the backends that serve it."""
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        backends = [
            psutil.Process(pid) for (pid,) in self.lake.ask(query) if psutil.pid_exists(pid)
        ]
        return _seconds(self.process), sum(map(_lasting, backends))

    def store(self, count: int) -> tuple[float, float, float]:
        """Go on until `count` are stored; return CPU seconds (own, backends) and seconds."""
        own, backends = self.cpu()
        began = time.monotonic()
        self.process.resume()
        if not await_true(lambda: self.stored() >= count, LONG_S):
            raise TimeoutError(f"{self.stored():,} of {count:,} stored in {LONG_S:g} s")
        took = time.monotonic() - began
        self.process.suspend()
        own_after, backends_after = self.cpu()
        return own_after - own, backends_after - backends, took


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _lasting(backend: psutil.Process) -> float:
    try:
        return _seconds(backend)
    except psutil.NoSuchProcess:  # the one that asked
        return 0.0
