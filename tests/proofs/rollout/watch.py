"""The share that a candidate has, seen many times a second."""

import time
from threading import Event, Thread

import httpx

from components.shared.traffic.routes import RouteTable

DATASET = "toys"


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
                routes = RouteTable.model_validate_json(client.get("/routes").content)
                trial = routes.datasets.get(DATASET)
                self.percent = trial.percent if trial else None
                if trial:
                    self.began = self.began or time.time()
                    self.most, self.ended = max(self.most, trial.percent), None
                elif self.began and not self.ended:
                    self.ended = time.time()
