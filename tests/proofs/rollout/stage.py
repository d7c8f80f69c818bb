"""Everything that runs: database, servers, reverse proxy, clients, and each deployment."""

import os
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx

from components.shared.contracts.policy import Policy, RolloutPolicy
from components.shared.contracts.progress import MARK
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import make_keys
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect, migrate
from components.shared.store.registry import Registry
from pipelines.local.database import EmbeddedDatabase, free_port
from pipelines.local.processes import Child, Revived
from tests.proofs.candidates import Candidates
from tests.proofs.rollout.watch import DATASET, Watch

ROOT = Path(__file__).parents[3]
RATE = 50
POLICY = RolloutPolicy(
    min_step_s=5, min_requests=10, max_ready_s=10,
    max_latency_ratio=3, min_latency_ms=150,  # the servers share their cores with the clients
    min_latency_answers=8,  # an answer of a slow one takes more than a second
)  # fmt: skip


class Stage:
    """Everything that runs: database, servers, reverse proxy, clients."""

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
        self.package_store = PackageStore(folder / "models")
        self.mark = folder / "mark"
        *ports, self.admin, stable_admin = (free_port() for _ in range(5))
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.port = ports[1]
        policy = folder / "policy.yaml"
        Policy(rollout=POLICY).write(policy)
        self.env = os.environ | {
            "PYTHONPATH": str(ROOT), "DATABASE_URL": database.url(),
            "OBJECT_STORE_URL": (folder / "objects").as_uri(), "DETECTOR_URL": self.urls[2],
            "DETECTOR_STABLE_URL": f"http://127.0.0.1:{stable_admin}",
            "DETECTOR_CANDIDATE_URL": f"http://127.0.0.1:{self.admin}",
            "MODEL_ROOT": str(self.package_store.root), "POLICY": str(policy),
            "FAULT_MARK": str(self.mark), "DETECTOR_TARGET": "server",
            "SIGNING_PRIVATE_KEY": str(keys.private), "SIGNING_PUBLIC_KEY": str(keys.public),
        }  # fmt: skip
        self.package_store.root.mkdir()
        self.stack = stack
        listen = [f"--http-port={ports[0]}", f"--admin-port={stable_admin}"]
        stable = self.child("stable", "components", "serve_detector", *listen)
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
        options = [
            "--slot=candidate", f"--http-port={self.port}", f"--admin-port={self.admin}"
        ]  # fmt: skip
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
            assert self.candidate
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
