"""An InferenceService of quick servers, KServe's stand-in behind it, and clients before it."""

import itertools
import json
import random
import threading
from collections import Counter

import httpx
from kubernetes import client

from components.promotion.deploy_model.kserve.own_server import OwnServer
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.target import KServeTarget
from components.promotion.deploy_model.packages import registered
from components.shared.cluster.client import Cluster
from components.shared.inference.package_store import PackageStore
from tests.standins.kserve import PORT, ClusterDns, KServe
from tests.standins.kserve.servers import Thread
from tests.support.kserve_releases import registered_model
from tests.support.tiny_packages import jpeg_of, scene

JPEG = jpeg_of(scene({(1, 2): 0}))
INGRESS = {"enableGatewayApi": True, "ingressDomain": "example.com"}


class Stage:
    """One InferenceService `cars`, in a cluster in memory."""

    def __init__(self, server, api, objects, tiny_package, folder):
        self.server, self.api, self.objects = server, api, objects
        self.cluster = Cluster(api, "cars")
        self.kserve = KServe(
            api, "cars", objects, folder / "pods", container=Thread, route_lag_s=0.6, alone=True
        )
        server.webhook = self.kserve.webhook
        config = {"metadata": {"name": "config"}, "data": {"ingress": json.dumps(INGRESS)}}
        server.objects["configmaps", "inferenceservice-config"] = config
        self._tiny, self._shelves = tiny_package, (folder / str(n) for n in itertools.count())

    def target(self, ready=40, turn=5, **changes):
        """A target as a new run has it."""
        settings = PredictorSettings(
            **{"image": "a", "max_replicas": 1, "visibility": "external"} | changes
        )
        http = httpx.Client(transport=ClusterDns(client.CoreV1Api(self.api)), timeout=5)
        server = OwnServer(self.objects, settings, PackageStore(next(self._shelves)))
        return KServeTarget(self.cluster, "cars", server, settings, ready, turn, http)

    def model(self, dataset="toys", shift=0.0):
        return registered_model(self.objects, self._tiny(dataset=dataset, shift=shift))

    def start(self, target, dataset, model):
        target.fetch_package(dataset, model, registered(self.objects, model))
        target.start(dataset, model)

    def serve(self, target, *models):
        """Let models of different datasets serve, one after the other, without a share between."""
        for model, dataset in zip(models, ("toys", "buses"), strict=False):
            target.fetch_package(dataset, model, registered(self.objects, model))
            target.serve(dataset, model)

    def find(self, kind, name="cars"):
        return self.server.objects.get((kind, name))

    @property
    def spec(self):
        return self.find("inferenceservices")["spec"]

    @property
    def canary(self):
        """The Deployment of the candidate."""
        (canary,) = self.spec["canary"]
        return self.kserve.deployments[f"cars-{canary['predictor']['name']}-predictor"]

    @property
    def stable(self):
        name = self.spec["predictor"].get("name")
        return self.kserve.deployments[
            "-".join(part for part in ("cars", name, "predictor") if part)
        ]

    def clients(self, *datasets):
        return Clients(self.kserve, datasets)


class Clients:
    """Ask the gateway while they are entered, and count what they meet."""

    def __init__(self, kserve, datasets):
        self._kserve, self._datasets = kserve, datasets
        self.met: Counter = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    @property
    def failed(self):
        return sum(count for what, count in self.met.items() if what != "answered")

    def _run(self):
        with httpx.Client(timeout=2, limits=httpx.Limits(max_keepalive_connections=0)) as http:
            while not self._over.wait(0.01):
                for dataset in self._datasets:
                    self.met[self._ask(http, dataset)] += 1

    def _ask(self, http, dataset):
        shares = [(weight, found) for weight, found in self._kserve.shares("cars") if weight]
        if not shares:
            return "no route"
        (found,) = random.choices([each for _, each in shares], [weight for weight, _ in shares])
        if found is None:
            return "500: the backend does not exist"
        if not found.ready:
            return "503: no endpoint"
        try:
            address = f"http://{random.choice(found.ready).ip}:{PORT}/v1/detect/{dataset}"
            answer = http.post(address, content=JPEG)
        except (httpx.HTTPError, IndexError):
            return "503: reset"
        return "answered" if answer.is_success else f"{answer.status_code}"
