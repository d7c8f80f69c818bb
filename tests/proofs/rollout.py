"""Roll out good and bad candidates under 50 requests a second; no client may notice any of it.

Real processes: two detector servers (the candidates' one with a fault added,
`tests/standins/faulty_server.py`), the front door, clients in a process of their own, and
each deployment as `python -m components deploy_model`. `make prove-rollout` runs it and
prints what it saw. It takes the package and the pictures of the state folder (CARS_STATE)
that has any; else a tiny package and drawn pictures.
"""

import json
import os
import signal
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import NamedTuple

import httpx

from components.contracts.policy import RolloutPolicy
from components.contracts.progress import MARK
from components.inference.shelf import Shelf
from components.inference.signature import make_keys
from components.store.objects import Objects
from components.store.postgres import connect, migrate
from components.store.registry import Registry
from components.traffic.routes import Routes
from pipelines.laptop.database import EmbeddedDatabase, free_port
from pipelines.laptop.processes import Child, Revived
from tests.proofs.candidates import Candidates

ROOT = Path(__file__).parents[2]
DATASET = "toys"
RATE, LEAST_REQUESTS = 50, 10_000
ROLLBACK_S = 30
POLICY = RolloutPolicy(
    step_seconds=5, min_requests=10, ready_seconds=10,
    max_latency_ratio=3, min_latency_ms=150,  # the servers share their cores with the clients
    min_latency_answers=8,  # an answer of a slow one takes more than a second
)  # fmt: skip


class Fault(NamedTuple):
    """What is wrong with a candidate.

    Attributes:
        what: In words.
        kind: A fault of `tests/standins/faulty_server.py`; empty if the server is right.
        after: So many clients' requests are answered well before it shows.
        guard: Words of the one that must send it back.
        percent: Least share that it must have reached; 0: it never meets a client.
        ended: What the sentence must say became of it.
    """

    what: str
    kind: str
    after: int
    guard: str
    percent: int
    ended: str = "is sent back"

    def is_met(self, said, most):
        """Say whether the right guard spoke, after the share had been right."""
        return (
            self.ended in said
            and self.guard in said
            and (most >= self.percent if self.percent else most == 0)
        )


FAULTS = (
    Fault("answers 500 at once", "errors", 0, "it does not answer golden/", 0),
    Fault("answers 500 in traffic", "errors", 10, "requests failed at it", 5),
    Fault("is slow at once", "slow", 0, "its answers take", 0, "is held back by load"),
    Fault("is slow in traffic", "slow", 10, "its answers take", 5, "is held back by load"),
    Fault("crashes in traffic", "crash", 10, "requests failed at it", 5),
    Fault("crashes at a quarter", "crash", 60, "requests failed at it", 25),
    Fault("answers otherwise but golden pictures", "lies", 0, "it lacks", 0),
    Fault("answers otherwise in traffic", "lies", 10, "it lacks", 5),
    Fault("finds nothing for clients alone", "blinds", 0, "clients' pictures", 5),
    Fault("never gets ready", "never", 0, "it does not become ready", 0),
    Fault("lies about ready", "pretends", 0, "nothing answered golden/", 0),
)
UNSIGNED = Fault("is not signed", "", 0, "has no signature", 0)
SHIFTED = Fault("is another model, with right golden answers", "", 0, "it lacks", 0)
KILLS = (0, 5, 25, 100)  # percent at which the deployer is killed


@dataclass(frozen=True)
class Outcome:
    """One line of the table."""

    what: str
    ended: str
    percent: int
    seconds: float | None
    right: bool
    said: str


class Watch:
    """Sees which share the candidate has, many times a second."""

    def __init__(self, url):
        self.percent, self.most, self.began, self.ended = None, 0, None, None
        self._url, self._over = url, Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def forget(self):
        self.most, self.began, self.ended = 0, None, None

    def until(self, percent, seconds=60.0):
        deadline = time.monotonic() + seconds
        while self.percent != percent:
            if time.monotonic() > deadline:
                raise SystemExit(f"the share is {self.percent} %, expected {percent} %")
            time.sleep(0.02)

    def stop(self):
        self._over.set()
        self._thread.join()

    def _run(self):
        with httpx.Client(base_url=self._url, timeout=30) as client:
            while not self._over.wait(0.03):
                routes = Routes.model_validate_json(client.get("/routes").content)
                trial = routes.datasets.get(DATASET)
                self.percent = trial.percent if trial else None
                if trial:
                    self.began = self.began or time.time()
                    self.most, self.ended = max(self.most, trial.percent), None
                elif self.began and not self.ended:
                    self.ended = time.time()


class Stage:
    """Everything that runs: database, servers, front door, clients."""

    def __init__(self, folder, stack):
        self.folder = folder
        database = stack.enter_context(EmbeddedDatabase(folder / "postgres"))
        connection = stack.enter_context(closing(connect(database.url())))
        migrate(connection)
        self.registry = Registry(connection)
        objects = Objects((folder / "objects").as_uri())
        keys = make_keys(folder / "keys")
        self.candidates = Candidates(folder, objects, self.registry, DATASET, keys.private)
        self.candidates.serve_lately(connection)
        self.shelf = Shelf(folder / "models")
        self.mark = folder / "mark"
        ports = [free_port() for _ in range(3)]
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.port = ports[1]
        self.env = os.environ | {
            "PYTHONPATH": str(ROOT), "DATABASE_URL": database.url(),
            "OBJECT_STORE_URL": (folder / "objects").as_uri(), "DETECTOR_URL": self.urls[2],
            "MODEL_ROOT": str(self.shelf.root), "ROLLOUT_POLICY": POLICY.model_dump_json(),
            "FAULT_MARK": str(self.mark), "DETECTOR_TARGET": "server",
            "SIGNING_PRIVATE_KEY": str(keys.private), "SIGNING_PUBLIC_KEY": str(keys.public),
        }  # fmt: skip
        self.shelf.root.mkdir()
        self.stack = stack
        stable = self.child("stable", "components", "serve_detector", f"--http-port={ports[0]}")
        self.candidate = None
        self.serve()
        sides = [f"--stable={self.urls[0]}", f"--candidate={self.urls[1]}"]
        door = self.child("door", "components", "route_requests", *sides, f"--http-port={ports[2]}")
        for child, url in ((stable, self.urls[0]), (door, self.urls[2])):
            child.wait_until(lambda url=url: live(url))
        self.watch = Watch(self.urls[2])
        stack.callback(self.watch.stop)

    def child(self, name, *words, kind=Child, **env):
        command = [sys.executable, "-m", *words]
        started = kind(name, command, self.folder / f"{name}.txt", {**self.env, **env})
        self.stack.callback(started.stop)
        return started

    def serve(self, fault="", after=0):
        """Exchange the candidates' server for one with a fault, or with none."""
        if self.candidate:
            self.candidate.stop()
        words = (
            ["tests.standins.faulty_server", fault] if fault else ["components", "serve_detector"]
        )
        options = ["--slot=candidate", f"--http-port={self.port}"]
        self.candidate = self.child(
            "candidate", *words, *options, kind=Revived, FAULT_AFTER=str(after)
        )
        self.candidate.wait_until(lambda: live(self.urls[1]))
        self.mark.unlink(missing_ok=True)

    def roll_out(self, model, meanwhile=lambda deployer: None):
        """Deploy a model in a process of its own; return its exit code and what it said last."""
        self.watch.forget()
        words = ["deploy_model", f"--dataset={DATASET}", f"--model={model}"]
        page = self.folder / "pages" / f"{time.monotonic_ns()}.html"
        deployer = self.child("deployer", "components", *words, f"--page={page}")
        meanwhile(deployer)
        while deployer.process.poll() is None:
            self.candidate.must_run()  # whoever died comes back, as at home
            time.sleep(0.1)
        lines = [line for line in deployer.output().splitlines() if MARK in line]
        said = lines[-1].removeprefix(MARK) if lines else deployer.output()[-200:]
        return deployer.process.returncode, said

    def champion(self):
        champion = self.registry.champion(DATASET)
        return champion.model if champion else None

    def clients(self):
        out = self.folder / "met.json"
        words = [f"{self.urls[2]}/v1/detect/{DATASET}", str(RATE), self.candidates.images, str(out)]
        return self.child("clients", "tests.proofs.steady_clients", *map(str, words)), out


def live(url):
    try:
        return httpx.get(f"{url}/v2/health/live", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def bad(stage, fault, model=None):
    """Roll out a candidate that must be sent back, by the guard that is there for it."""
    stage.serve(fault.kind, fault.after)
    before = stage.champion()
    code, said = stage.roll_out(model or stage.candidates.good())
    stage.watch.until(None)
    seconds, most = 0.0, stage.watch.most  # a trial that nobody saw was over between two looks
    if (began := stage.watch.began) and (ended := stage.watch.ended):
        showed = float(stage.mark.read_text()) if stage.mark.exists() else began
        seconds = ended - max(showed, began)
    right = (
        code == 2
        and fault.is_met(said, most)
        and stage.mark.exists() == bool(fault.kind)
        and stage.champion() == before
        and seconds <= ROLLBACK_S
    )
    return Outcome(fault.what, "rolled back", most, seconds, right, said.split(": ", 1)[-1])


def good(stage, what, model):
    """Roll out a candidate that must be promoted."""
    wanted = stage.registry.named(DATASET, model)
    code, said = stage.roll_out(model)
    right = code == 0 and stage.registry.champion(DATASET) == wanted
    return Outcome(what, "promoted", stage.watch.most, None, right, said)


def killed(stage, percent):
    """Kill the deployer, see the lease end, and run it again."""
    model, before = stage.candidates.good(), stage.champion()
    lapse = []

    def kill(deployer):
        stage.watch.until(percent)
        time.sleep(0.3)
        os.kill(deployer.process.pid, signal.SIGKILL)
        deployer.process.wait()
        dead = time.monotonic()
        stage.watch.until(0)
        lapse.append(time.monotonic() - dead)

    code, _ = stage.roll_out(model, kill)
    untouched = stage.champion() == before
    code, said = stage.roll_out(model)
    right = untouched and code == 0 and stage.champion() == model and lapse[0] <= ROLLBACK_S
    what = f"deployer killed at {percent} %, run again"
    return Outcome(what, "promoted", percent, lapse[0], right, said)


def scenes(stage):
    """Yield what came of everything that is tried."""
    for fault in FAULTS:
        yield bad(stage, fault)
    yield bad(stage, UNSIGNED, stage.candidates.unsigned())
    yield bad(stage, SHIFTED, stage.candidates.shifted())
    yield good(stage, "is good", stage.candidates.good())
    for percent in KILLS:
        yield killed(stage, percent)
    yield good(stage, "served before, a person goes back", "previous")


def main() -> int:
    """Run every scene under clients, print the table, and say whether all was right."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        stage = Stage(Path(folder), stack)
        print(f"package and pictures: {stage.candidates.told}", flush=True)
        first = good(stage, "is the first", stage.candidates.good())
        clients, out = stage.clients()
        outcomes = [first]
        tell(first)
        for outcome in scenes(stage):
            outcomes.append(outcome)
            tell(outcome)
        while not out.exists() or json.loads(out.read_text())["requests"] < LEAST_REQUESTS:
            clients.must_run()
            time.sleep(1)
        clients.process.terminate()
        clients.process.wait()
        met = json.loads(out.read_text())
    failed = met["requests"] - met["statuses"].get("200", 0)
    print(
        f"\n{met['requests']:,} client requests, {met['rate']} of {RATE} wanted a second, {failed} "
        f"failed; answered by {len(met['models'])} models; median {met['p50_ms']} ms, 99 % within "
        f"{met['p99_ms']} ms"
    )
    for failure in met["failures"]:
        print(f"  {failure}")
    right = not failed and met["requests"] >= LEAST_REQUESTS
    right &= all(outcome.right for outcome in outcomes)
    print("as it should be" if right else "NOT as it should be")
    return 0 if right else 1


def tell(outcome):
    seconds = "" if outcome.seconds is None else f"{outcome.seconds:5.1f} s"
    mark = "" if outcome.right else "  WRONG"
    print(
        f"{outcome.what:46} {outcome.ended:12} {outcome.percent:3d} % {seconds:8} "
        f"{outcome.said[:150]}{mark}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
