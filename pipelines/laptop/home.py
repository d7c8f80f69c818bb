"""Everything a run needs, up for as long as the run lasts, under one state folder.

What the environment already names (DATABASE_URL, KAFKA_BOOTSTRAP_SERVERS,
OBJECT_STORE_URL, DETECTOR_URL) is used as it is; the rest is embedded.
"""

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from components.contracts.refusal import Refusal
from components.inference.shelf import Shelf
from components.store.postgres import connect, migrate
from components.store.registry import Registry
from pipelines.laptop.database import EmbeddedDatabase, free_port
from pipelines.laptop.processes import Child
from pipelines.laptop.stream import EmbeddedStream

ROOT = Path(__file__).parents[2]
LEAST_FREE_BYTES = 1_000_000_000
KEPT_RUNS = 60  # folders of finished runs, for people to look into


@dataclass(frozen=True)
class Home:
    """A laptop home that is up.

    Attributes:
        state: The folder that holds everything.
        env: The environment that jobs and pipelines run with.
        children: The services, to be looked after while something waits for them.
    """

    state: Path
    env: dict[str, str]
    children: tuple[Child, ...]

    @property
    def logs(self) -> Path:
        """Where the logs of jobs and services are."""
        return self.state / "logs"

    def must_run(self) -> None:
        """Raise ProcessError if a service has ended by itself."""
        for child in self.children:
            child.must_run()


def state_folder() -> Path:
    """Return where state is kept: CARS_STATE, or `.state` in the project."""
    return Path(os.environ.get("CARS_STATE") or ROOT / ".state").absolute()


@contextmanager
def home(detector_port: int = 0) -> Iterator[Home]:
    """Bring everything up, hand it over, and take everything down again.

    Args:
        detector_port: Where the detectors shall be served; 0 takes any free port.

    Raises:
        Refusal: If another run uses the state folder, or the disk is nearly full.
    """
    state = state_folder()
    with ExitStack() as stack:
        stack.enter_context(_only_one(state))
        _forget_old(state / "runs")
        env = dict(os.environ) | _python()
        env |= _stores(state, stack)
        connection = connect(env["DATABASE_URL"])
        migrate(connection)
        _agree(Shelf(env["MODEL_ROOT"]), Registry(connection))
        connection.close()
        children = [_ingester(state, env)]
        stack.callback(children[0].stop)
        if "DETECTOR_URL" not in env:
            server = _server(state, env, detector_port or free_port())
            stack.callback(server.stop)
            children.append(server)
        yield Home(state, env, tuple(children))


@contextmanager
def _only_one(state: Path) -> Iterator[None]:
    try:
        (state / "logs").mkdir(parents=True, exist_ok=True)
        lock = (state / "lock").open("a+")
    except OSError as cause:
        raise Refusal(f"state folder {state} cannot be written: {cause.strerror}") from cause
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Refusal(
                f"state folder {state} is in use by process {lock.read()}; wait for it, "
                "or set CARS_STATE to another folder"
            ) from None
        free = shutil.disk_usage(state).free
        if free < LEAST_FREE_BYTES:
            raise Refusal(
                f"the disk of {state} has {free / 1e6:,.0f} MB free, a run needs "
                f"{LEAST_FREE_BYTES / 1e6:,.0f} MB; free some, or set CARS_STATE to another disk"
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _agree(shelf: Shelf, registry: Registry) -> None:
    """Let the champions serve: a killed deployment may have left another model current."""
    for dataset in shelf.datasets():
        champion = registry.champion(dataset)
        if champion is None or shelf.package(dataset, champion.model).exists():
            shelf.point(dataset, champion.model if champion else None)


def _forget_old(runs: Path) -> None:
    for folder in sorted(runs.glob("*"))[:-KEPT_RUNS]:
        shutil.rmtree(folder)


def _python() -> dict[str, str]:
    programs = str(Path(sys.executable).parent)
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "DO_NOT_TRACK": "1",
        "MPLCONFIGDIR": str(state_folder() / "cache" / "matplotlib"),
    }


def _stores(state: Path, stack: ExitStack) -> dict[str, str]:
    env = {"MODEL_ROOT": os.environ.get("MODEL_ROOT", str(state / "serving"))}
    Path(env["MODEL_ROOT"]).mkdir(parents=True, exist_ok=True)
    if "DATABASE_URL" not in os.environ:
        database = stack.enter_context(EmbeddedDatabase(state / "postgres"))
        env["DATABASE_URL"] = database.url()
    if "KAFKA_BOOTSTRAP_SERVERS" not in os.environ:
        stream = stack.enter_context(EmbeddedStream(state / "stream"))
        env["KAFKA_BOOTSTRAP_SERVERS"] = stream.bootstrap_servers
        env["KAFKA_STREAM_ID"] = stream.stream_id
    if "OBJECT_STORE_URL" not in os.environ:
        env["OBJECT_STORE_URL"] = (state / "objects").as_uri()
    return env


def _ingester(state: Path, env: dict[str, str]) -> Child:
    command = [sys.executable, "-m", "components", "ingest_events"]
    return Child("the ingester", command, state / "logs" / "ingest_events.txt", env)


def _server(state: Path, env: dict[str, str], port: int) -> Child:
    env["DETECTOR_URL"] = f"http://127.0.0.1:{port}"
    server = Child(
        "the detector server",
        [sys.executable, "-m", "components", "serve_detector", "--http-port", str(port)],
        state / "logs" / "serve_detector.txt",
        env,
    )
    server.wait_until(lambda: _is_live(env["DETECTOR_URL"]))
    return server


def _is_live(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v2/health/live", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
