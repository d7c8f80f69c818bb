"""Local stack: start the embedded database, Kafka, ingester and model servers, and stop them.

Everything lies under one state folder. What the environment already names (DATABASE_URL,
KAFKA_BOOTSTRAP_SERVERS, OBJECT_STORE_URL, DETECTOR_URL) is used as it is; the rest is embedded.
"""

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.shared.contracts.errors import OutageError, UserError
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import make_keys, sign
from components.shared.store.postgres import connect, migrate
from components.shared.store.registry import Registry
from pipelines.local.database import EmbeddedDatabase, as_role, running_url
from pipelines.local.detectors import Detectors
from pipelines.local.gateway import Gateway
from pipelines.local.policy import LAPTOP, NOWHERE, write_local_policy
from pipelines.local.processes import Child
from pipelines.local.stream import EmbeddedStream

ROOT = Path(__file__).parents[2]
MIN_FREE_BYTES = 1_000_000_000
KEPT_RUNS = 60  # folders of finished runs, for people to look into


@dataclass(frozen=True)
class LocalStack:
    """The services of a local run, all started.

    Attributes:
        state: The state folder, which holds everything.
        env: Environment variables of jobs and pipelines.
        children: The processes of the services.
        detectors: The model servers and their proxy; None if DETECTOR_URL names others.
        gateway: The HTTP API, if it was asked for.
    """

    state: Path
    env: dict[str, str]
    children: tuple[Child, ...]
    detectors: Detectors | None = None
    gateway: Gateway | None = None

    @property
    def logs(self) -> Path:
        """Folder of the logs of jobs and services."""
        return self.state / "logs"

    def must_run(self) -> None:
        """Raise EmbeddedServiceError if a service has ended by itself."""
        for child in self.children:
            child.must_run()


def state_folder() -> Path:
    """Return the state folder: CARS_STATE, or `.state` in the project."""
    return Path(os.environ.get("CARS_STATE") or ROOT / ".state").absolute()


@contextmanager
def local_stack(detector_port: int = 0, api_port: int | None = None) -> Iterator[LocalStack]:
    """Start all services, yield them, and stop them in reverse order.

    Args:
        detector_port: TCP port of the detectors' proxy; 0 takes any free port.
        api_port: TCP port of the HTTP API; None starts none.

    Raises:
        UserError: If another run uses the state folder, the disk is nearly full, or the policy file
            is not valid.
    """
    state = state_folder()
    with ExitStack() as stack:
        stack.enter_context(_only_one(state))
        _forget_old(state / "runs")
        env = dict(os.environ) | _python()
        env |= write_local_policy(state, env, NOWHERE if "DETECTOR_URL" in env else LAPTOP)
        env |= _stores(state, stack)
        with closing(connect(env["DATABASE_URL"])) as connection:
            migrate(connection)
            _agree(PackageStore(env["MODEL_ROOT"]), Registry(connection))
        _sign_champions(PackageStore(env["MODEL_ROOT"]), env)
        children = [_ingester(state, env | _database_for("car_ingest", env))]
        stack.callback(children[0].stop)
        owner_url, gateway_env = env["DATABASE_URL"], _database_for("car_gateway", env)
        env |= _database_for("car_pipeline", env)
        detectors = None
        if "DETECTOR_URL" not in env:
            detectors = stack.enter_context(Detectors(state / "logs", env, detector_port))
            env |= detectors.env
            children += detectors.children
        gateway = None
        if api_port is not None:
            gateway = stack.enter_context(Gateway(state, env | gateway_env, api_port, owner_url))
            children.append(gateway.child)
        yield LocalStack(state, env, tuple(children), detectors, gateway)


@contextmanager
def database_url(role: str | None = "car_reader") -> Iterator[str]:
    """Yield the URL of the database: DATABASE_URL, the running one, or one that is started for it.

    Args:
        role: Whose rights the embedded database gives; None: those of its owner.

    Raises:
        UserError: As `local_stack` does.
    """
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    state = state_folder()
    if url := running_url(state / "postgres"):
        yield as_role(url, role) if role else url
        return
    with _only_one(state), EmbeddedDatabase(state / "postgres") as database:
        with closing(connect(database.url())) as connection:
            migrate(connection)
        yield as_role(database.url(), role) if role else database.url()


@contextmanager
def _only_one(state: Path) -> Iterator[None]:
    try:
        (state / "logs").mkdir(parents=True, exist_ok=True)
        lock = (state / "lock").open("a+")
    except OSError as cause:
        raise UserError(f"state folder {state} cannot be written: {cause.strerror}") from cause
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise OutageError(
                f"state folder {state} is in use by process {lock.read()}; wait for it, "
                "or set CARS_STATE to another folder"
            ) from None
        free = shutil.disk_usage(state).free
        if free < MIN_FREE_BYTES:
            raise UserError(
                f"the disk of {state} has {free / 1e6:,.0f} MB free, a run needs "
                f"{MIN_FREE_BYTES / 1e6:,.0f} MB; free some, or set CARS_STATE to another disk"
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _agree(package_store: PackageStore, registry: Registry) -> None:
    """Point the stable server to each champion, and end trials that a killed deployment left."""
    for dataset in package_store.datasets("candidate"):
        package_store.set_traffic(dataset, None)
        package_store.set_current(dataset, None, "candidate")
    for dataset in package_store.datasets():
        champion = registry.champion(dataset)
        if champion is None or package_store.package(dataset, champion.model).exists():
            package_store.set_current(dataset, champion.model if champion else None)


def _sign_champions(package_store: PackageStore, env: Mapping[str, str]) -> None:
    """Sign served packages from before there were signatures, if the keys are our own."""
    if "SIGNING_PRIVATE_KEY" in os.environ or "SIGNING_PRIVATE_KEY" not in env:
        return
    for dataset in package_store.datasets():
        model = package_store.current(dataset)
        if model and not package_store.signature(dataset, model).exists():
            key = Path(env["SIGNING_PRIVATE_KEY"])
            sign(
                package_store.package(dataset, model), package_store.signature(dataset, model), key
            )


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
    if not os.environ.keys() & {"SIGNING_PRIVATE_KEY", "SIGNING_PUBLIC_KEY"}:
        private, public = make_keys(state / "signing")
        env |= {"SIGNING_PRIVATE_KEY": str(private), "SIGNING_PUBLIC_KEY": str(public)}
    return env


def _database_for(role: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the database URL with the rights of a role; a user's own database is left as it is."""
    if "DATABASE_URL" in os.environ:
        return {}
    return {"DATABASE_URL": as_role(env["DATABASE_URL"], role)}


def _ingester(state: Path, env: dict[str, str]) -> Child:
    command = [sys.executable, "-m", "components", "ingest_events"]
    return Child("the ingester", command, state / "logs" / "ingest_events.txt", env)
