"""The InferenceService that the proof of serving rolls models out to, and what was seen."""

import os
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx
from kubernetes import client

from components.promotion.deploy_model.deploy import deploy
from components.promotion.deploy_model.kserve.own_server import OwnServer
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.target import KServeTarget
from components.promotion.deploy_model.packages import registered
from components.shared.cluster.client import Cluster
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageLayout, RegisteredLayout
from components.shared.contracts.policy import RolloutPolicy
from components.shared.contracts.record import write_lines
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import make_keys, sign
from components.shared.store.objects import Objects
from components.shared.store.registry import Registry
from tests.proofs.serving_clients import JPEG
from tests.proofs.serving_cluster import NAMESPACE, SERVICE
from tests.standins.kserve import ClusterDns, KServe
from tests.support.tiny_packages import golden_answers, seal, tiny_graph

POLICY = RolloutPolicy(
    min_step_s=2, min_requests=5, look_every_s=0.5, max_ready_s=60, max_probes=4,
    max_latency_ratio=20, max_latency_ms=10_000, max_turn_s=2,
)  # fmt: skip
SETTINGS = PredictorSettings(
    image="stand-in", max_replicas=1, public_key="car-public-key", visibility="external"
)


class Stage:
    """One InferenceService, what is in it, and what was seen."""

    def __init__(self, api: client.ApiClient, folder: Path, registry: Registry):
        self.api, self.folder, self.registry, self.good = api, folder, registry, True
        url = os.environ.get("OBJECT_STORE_URL") or (folder / "objects").as_uri()
        self.objects = Objects(f"{url.rstrip('/')}/prove-serving")
        self.keys = make_keys(folder / "keys")
        self.cluster = Cluster(api, NAMESPACE)
        self.kserve = KServe(api, NAMESPACE, self.objects, folder / "pods", str(self.keys.public))

    def says(self, what: str, good: bool, seen: str = "") -> None:
        self.good &= good
        print(f"{'ok' if good else 'BAD':3} {what}{': ' if seen else ''}{seen}", flush=True)

    def target(self, settings: PredictorSettings = SETTINGS, ready: float = 60) -> KServeTarget:
        """Return a target as a new run would have it."""
        package_store = PackageStore(mkdtemp(prefix="proved-", dir=self.folder))
        http = httpx.Client(transport=ClusterDns(client.CoreV1Api(self.api)), timeout=5)
        server = OwnServer(self.objects, settings, package_store)
        return KServeTarget(
            self.cluster, SERVICE, server, settings, ready, turn_seconds=2, http=http
        )

    def model(self, dataset: str, shift: float, signed: bool = True) -> str:
        """Register a model, compared with who is champion now, and return its digest."""
        root = self.folder / f"{dataset}-{shift}"
        package = PackageLayout(root)
        if not root.exists():
            (root / "golden").mkdir(parents=True)
            package.model.write_bytes(tiny_graph(1, 64, 64, shift).SerializeToString())
            package.triton.write_text(f'name: "{dataset}"\n')
            write_lines(golden_answers(root, "car", 64, 64, shift), package.golden)
            seal(package, dataset, ("car",))
        digest = package.verify().digest
        layout = RegisteredLayout(RegisteredLayout.prefix(digest))
        self.objects.put_folder(str(layout.package), root)
        if signed:
            sign(root, root.with_suffix(".sig"), self.keys.private)
            self.objects.put(str(layout.signature), root.with_suffix(".sig").read_bytes())
        champion = self.registry.champion(dataset)
        compared = champion.model if champion else None
        self.registry.register(dataset, digest, "", "0" * 64, {}, {}, "proof", compared)
        return digest

    def roll_out(
        self, dataset: str, model: str, target: KServeTarget | None = None,
        policy: RolloutPolicy = POLICY,
    ) -> tuple[Any, float]:  # fmt: skip
        """Deploy a model, and return how it ended and in how many seconds."""
        place = target or self.target()
        began = time.monotonic()
        try:
            rollout = deploy(
                self.registry, place, self.registry.named(dataset, model),
                registered(self.objects, model), [JPEG] * 4, policy,
            )  # fmt: skip
        except UserError as refusal:
            return refusal, time.monotonic() - began
        return rollout, time.monotonic() - began


def served(ended: Any) -> bool:
    """Say whether a rollout ended in service."""
    return not isinstance(ended, UserError) and not ended.failed


def told(ended: Any) -> str:
    """Return how a rollout ended, in its own words."""
    return str(ended) if isinstance(ended, UserError) else ended.sentence


def short(models: dict[str, str]) -> str:
    return ", ".join(f"{name} {model[:12]}" for name, model in sorted(models.items()))
