"""Clients of a served detector: two threads that ask by the weights of KServe's HTTPRoute."""

import random
import threading
from collections import Counter

import httpx

from tests.proofs.serving_cluster import SERVICE
from tests.standins.kserve import PORT, KServe
from tests.support.tiny_packages import jpeg_of, scene

JPEG = jpeg_of(scene({(1, 2): 0}))


class Clients:
    """Two threads that ask a gateway, by the weights that the route has now."""

    def __init__(self, kserve: KServe):
        self._kserve, self._ended = kserve, threading.Event()
        self.expected: dict[str, str] = {}
        self._allowed: dict[str, set[str]] = {}
        self._lenient: set[str] = set()
        self.asked, self.failed, self.forgiven = 0, 0, 0
        self.seen: Counter[str] = Counter()
        self._threads = [threading.Thread(target=self._ask) for _ in range(2)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def expect(self, dataset: str, *models: str) -> None:
        """Ask for a dataset from now on; any of some models may answer."""
        self._allowed[dataset] = set(models)
        self.expected[dataset] = models[0]
        self._lenient.discard(dataset)

    def forgive(self, dataset: str, model: str) -> None:
        """Let a model answer for a while, or fail."""
        self._allowed[dataset] = {self.expected[dataset], model}
        self._lenient.update(self.expected)

    def told(self) -> str:
        return f"{self.failed} failed; {self.forgiven} met the candidate that was killed"

    def _ask(self) -> None:
        with httpx.Client(timeout=5, limits=httpx.Limits(max_keepalive_connections=0)) as http:
            while not self._ended.wait(0.02):
                for dataset in list(self._allowed):
                    self._ask_one(http, dataset)

    def _ask_one(self, http: httpx.Client, dataset: str) -> None:
        shares = [(weight, found) for weight, found in self._kserve.shares(SERVICE) if weight]
        self.asked += 1
        lenient = dataset in self._lenient
        try:
            (found,) = random.choices([each for _, each in shares], [share for share, _ in shares])
            if found is None:
                raise ValueError("the backend of the route does not exist")
            pod = random.choice(found.ready)
            answer = http.post(f"http://{pod.ip}:{PORT}/v1/detect/{dataset}", content=JPEG)
            model = answer.raise_for_status().json()["model"]
            if model not in self._allowed[dataset]:
                raise ValueError(f"{model} answered")
        except (httpx.HTTPError, ValueError, IndexError) as error:
            if lenient or dataset in self._lenient:
                self.forgiven += 1
                return
            self.failed += 1
            met = f"{dataset} met {type(error).__name__}: {error}"
            self.seen[met] += 1
            if self.seen[met] == 1:
                print(f"    a client of {met}", flush=True)
