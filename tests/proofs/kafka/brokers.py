"""Apache Kafka brokers (KRaft) on free ports of this machine, for as long as this process runs."""

import base64
import os
import random
import shutil
import signal
import socket
import subprocess
import uuid
from contextlib import suppress
from functools import partial
from pathlib import Path

from pipelines.local.processes import Child, Part
from tests.proofs.kafka.certificates import Authority
from tests.proofs.kafka.jars import jars, java

ADMIN = ("admin", "admin-secret")  # of brokers that only this machine reaches
LISTENERS = ("PLAIN", "CONTROLLER", "SECURE", "MUTUAL", "EXPIRED")
STEADY = (12_000, 32_000)  # below what Linux takes for outgoing connections
READY = "Kafka Server started"

SETTINGS = Path(__file__).with_name("broker.properties")


class Brokers(Part):
    """One or three brokers, each also a controller.

    Plain clients may do everything; those of the listeners with SASL or certificates what
    access control lists allow their user.

    Args:
        folder: Where settings, logs and certificates go.
        count: How many brokers.
    """

    def __init__(self, folder: Path, count: int = 1) -> None:
        self.folder = folder
        self.authority = Authority(folder / "certificates")
        self._cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        ports = steady_ports(count * len(LISTENERS))
        self._ports = [{name: ports.pop() for name in LISTENERS} for _ in range(count)]
        keystores = [self.authority.keystore("localhost", expired=old) for old in (False, True)]
        for number in range(count):
            self._settings(number).write_text(self._describe(number, *keystores))
        self._format()
        self._running: dict[int, Child] = {}
        for number in range(count):
            self._launch(number)
        for number in range(count):
            self._await(number)

    def servers(self, listener: str = "PLAIN") -> str:
        """Return the bootstrap servers of one listener."""
        return ",".join(f"127.0.0.1:{ports[listener]}" for ports in self._ports)

    def data(self, number: int = 0) -> Path:
        """Return the folder that holds a broker's log."""
        return self.folder / f"data-{number}"

    def kill(self, number: int = 0) -> None:
        """Kill a broker with SIGKILL."""
        self._running[number].stop(by=signal.SIGKILL)

    def shut_down(self, number: int = 0) -> None:
        """Stop a broker cleanly."""
        self._running[number].stop(seconds=60)

    def start(self, number: int = 0) -> None:
        """Start a broker that was stopped, and wait until it serves."""
        self._launch(number)
        self._await(number)

    def restore(self, backup: Path, number: int = 0) -> None:
        """Replace the log of a stopped broker by an earlier copy."""
        shutil.rmtree(self.data(number))
        shutil.copytree(backup, self.data(number))

    def tool(self, name: str, *arguments: str) -> str:
        """Run one of Kafka's own command-line tools and return what it prints."""
        program = [*_java("broker", memory="256m"), f"org.apache.kafka.tools.{name}"]
        server = ["--bootstrap-server", self.servers()]
        done = subprocess.run(
            [*program, *server, *arguments], capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    def stop(self) -> None:
        """Kill all: what they hold is not wanted again."""
        for child in self._running.values():
            child.stop(by=signal.SIGKILL)

    def _settings(self, number: int) -> Path:
        return self.folder / f"broker-{number}.properties"

    def _describe(self, number: int, keystore: Path, expired: Path) -> str:
        places = {name: f"{name}://127.0.0.1:{port}" for name, port in self._ports[number].items()}
        voters = (f"{n}@127.0.0.1:{ports['CONTROLLER']}" for n, ports in enumerate(self._ports))
        count = len(self._ports)
        return SETTINGS.read_text().format(
            node=number,
            voters=",".join(voters),
            listeners=",".join(places.values()),
            advertised=",".join(at for name, at in places.items() if name != "CONTROLLER"),
            data=self.data(number),
            count=count,
            least=min(2, count),
            keystore=keystore,
            authority=self.authority.certificate,
            expired=expired,
        )

    def _format(self) -> None:
        user, password = ADMIN
        command = [
            *_java("broker", memory="256m"), "kafka.tools.StorageTool", "format",
            "--cluster-id", self._cluster,
            "--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]",
        ]  # fmt: skip
        for number in range(len(self._ports)):
            subprocess.run(
                [*command, "--config", str(self._settings(number))],
                check=True, capture_output=True, timeout=120,
            )  # fmt: skip

    def _launch(self, number: int) -> None:
        command = [*_java("broker"), "kafka.Kafka", str(self._settings(number))]
        log = self.folder / f"broker-{number}.log"
        self._running[number] = Child(
            f"broker {number}", command, log, env=os.environ, death_signal=signal.SIGKILL
        )

    def _await(self, number: int) -> None:
        child = self._running[number]
        child.wait_until(partial(_says_ready, child), seconds=180)


def steady_ports(count: int) -> set[int]:
    """Return free ports that the system gives to no outgoing connection, so that they stay free.

    A broker that was killed wants its own again.
    """
    found: set[int] = set()
    while len(found) < count:
        port = random.randrange(*STEADY)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.add(port)
    return found


def _says_ready(child: Child) -> bool:
    return READY in child.output()


def _java(profile: str, memory: str = "512m") -> list[str]:
    program = java()
    assert program is not None
    options = [f"-Xmx{memory}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=info"
    return [program, *options, level, "-cp", f"{jars(profile)}/*"]
