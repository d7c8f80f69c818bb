"""A place in memory that serves two models, and misbehaves as it is told: no server runs."""

import math

from components.promotion.deploy_model.canary import CanaryRollout, Clock
from components.promotion.deploy_model.pictures import GoldenImage, ProbeImages
from components.promotion.deploy_model.prober import Prober
from components.promotion.deploy_model.target import PackageNotServedError, ServerUnreachableError
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import DetectAnswer
from components.shared.contracts.policy import RolloutPolicy
from components.shared.traffic.request_metrics import RequestMetrics

CHAMPION, CANDIDATE = "c" * 64, "d" * 64
RATE = 50  # requests a second of all clients


def car(x, score=0.9):
    return ScoredBox(x_min=x, y_min=0, x_max=x + 8, y_max=8, label="car", score=score)


CARS = (car(0), car(20))


class Hours:
    """A clock that jumps."""

    def __init__(self):
        self.time = 0.0
        self.clock = Clock(now=lambda: self.time, wait=self.pass_by)

    def pass_by(self, seconds):
        self.time += seconds


class Place:
    """A stand-in for a reverse proxy with clients and two servers.

    Attributes:
        hours: Its clock; an answer takes `slow` seconds of it.
        rate: Requests a second of all clients.
        fault: Called with a JPEG at the candidate; what it returns is the answer's boxes.
        fails_from: Share from which on the candidate fails every request.
        slow: Seconds that the candidate takes for an answer.
        ready: Whether it comes up.
        there: Whether the reverse proxy answers.
        stable_slow: Seconds that the champion takes for an answer.
        stable_there: Whether the champion answers.
        drained: Whether the candidate's server was taken away from outside.
    """

    note = "A stand-in was asked."

    def __init__(self, rate=RATE):
        self.hours = Hours()
        self.rate, self.percent, self.model = rate, 0, None
        self.fault = lambda jpeg: CARS
        self.fails_from, self.slow, self.ready, self.there = math.inf, 0.01, True, True
        self.stable_slow, self.stable_there, self.drained = 0.01, True, False
        self.tallies = {"stable": RequestMetrics(), "candidate": RequestMetrics()}
        self.shares = []
        self._seen = 0.0

    def start(self, dataset, model):
        self._reached()
        if not self.ready:
            raise PackageNotServedError("not ready after 300 s")
        self.model = model

    def set_share(self, dataset, percent):
        self._clients()
        self.percent = percent
        self.shares.append((self.hours.time, percent))

    def detect(self, dataset, jpeg, track):
        self._reached()
        if track == "stable":
            self.hours.pass_by(self.stable_slow)
            if not self.stable_there:
                raise ServerUnreachableError("no stable server answers")
            return self._answer(CHAMPION, CARS)
        self.hours.pass_by(self.slow)
        if self.drained:
            raise ServerUnreachableError("no candidate server answers")
        if self.percent >= self.fails_from:
            raise UserError("HTTP 500")
        return self._answer(CANDIDATE, self.fault(jpeg))

    def disruption(self, dataset):
        return "the candidate predictor: pod cars-1 was deleted" if self.drained else None

    def request_metrics(self, dataset, track):
        self._reached()
        self._clients()
        return self.tallies[track]

    def _reached(self):
        if not self.there:
            raise ServerUnreachableError("no reverse proxy answers")

    def _answer(self, model, boxes):
        return DetectAnswer(
            model=model, dataset="toys", request_id="r", width=64, height=64, boxes=boxes,
            latency_ms=10,
        )  # fmt: skip

    def _clients(self):
        """Let the clients ask who asked since the last time."""
        requests = int((self.hours.time - self._seen) * self.rate)
        self._seen += requests / self.rate if self.rate else 0
        ours = requests * self.percent // 100
        failed = ours if self.percent >= self.fails_from else 0
        boxes = self.fault(b"client")
        self._met("stable", requests - ours, 0, CARS, self.stable_slow)
        self._met("candidate", ours, failed, boxes, self.slow)

    def _met(self, track, requests, failed, boxes, seconds):
        answered = requests - failed
        self.tallies[track] += RequestMetrics(
            requests=requests, errors=failed, boxes=answered * len(boxes),
            scores=answered * sum(box.score for box in boxes),
            latencies={
                bound: requests if seconds <= bound else 0 for bound in (0.01, 0.1, 1.0, math.inf)
            },
        )  # fmt: skip


POLICY = RolloutPolicy()
GOLDEN = tuple(GoldenImage(f"golden/{n}.jpg", b"golden", CARS) for n in range(3))


def trial(place, live=16, with_champion=True, policy=POLICY):
    pictures = ProbeImages(GOLDEN, [b"live %d" % n for n in range(live)], 0.25)
    prober = Prober(place, "toys", CANDIDATE, pictures, with_champion, place.hours.clock.now)
    return CanaryRollout(prober, policy, place.hours.clock)
