"""Rollout target on one machine: a reverse proxy with two detector servers behind it."""

import time
from contextlib import suppress
from pathlib import Path

import httpx

from components.promotion.deploy_model.detect_client import (
    DETECT_TIMEOUT_S,
    MISSING,
    detect_on_server,
    reason,
)
from components.promotion.deploy_model.packages import keep
from components.promotion.deploy_model.target import (
    Fetch,
    PackageNotServedError,
    ServerUnreachableError,
    Track,
)
from components.shared.contracts.errors import ApplicationError, OutageError, UserError
from components.shared.contracts.model import DetectAnswer
from components.shared.inference.package_store import PackageStore, TrafficLease
from components.shared.traffic.request_metrics import RequestMetrics
from components.shared.traffic.routes import RouteTable
from components.shared.traffic.scrape import request_metrics_of

LEASE_S = 15.0  # a candidate loses its traffic after this time if the deployer is gone
LOAD_S = 60.0  # for a package that is known to load
FOLLOW_S = 10.0  # for the proxy to follow the package store
# Servers close idle connections after 5 s; this client closes them before.
LIMITS = httpx.Limits(keepalive_expiry=2)


class ServerTarget:
    """Two running `serve_detector` behind one `route_requests`.

    Args:
        url: Address of the reverse proxy.
        stable: Admin address of the server in service.
        candidate: Admin address of the candidates' server.
        package_store: Package store that proxy and servers share.
        ready_seconds: Timeout for a candidate to become ready, in seconds.
    """

    note = "The champion answers requests that the candidate fails: clients see no error."

    def __init__(
        self,
        url: str,
        stable: str,
        candidate: str,
        package_store: PackageStore,
        ready_seconds: float,
    ) -> None:
        self._url = url.rstrip("/")
        self._addresses = {"stable": stable.rstrip("/"), "candidate": candidate.rstrip("/")}
        self._package_store = package_store
        self._ready_seconds = ready_seconds
        self._client = httpx.Client(timeout=DETECT_TIMEOUT_S, limits=LIMITS, trust_env=False)

    def fetch_package(self, dataset: str, model: str, fetch: Fetch) -> Path:
        """Return a verified copy of a package in the package store.

        Args:
            dataset: Name of the dataset.
            model: Digest of the package.
            fetch: Fills a folder laid out as `RegisteredLayout`.

        Raises:
            PackageError: If the fetched package has another digest.
        """
        return keep(self._package_store, dataset, model, fetch, anew=True)

    def stable_model(self, dataset: str) -> str | None:
        """Return the digest of the current package, or None."""
        return self._package_store.current(dataset)

    def is_current(self, dataset: str, model: str) -> bool:
        """Return whether a package is the current one; the servers' settings are not compared."""
        return self.stable_model(dataset) == model

    def start(self, dataset: str, model: str) -> None:
        """Load a candidate into the second server, at no share of the requests.

        Raises:
            PackageNotServedError: If the server refuses the package, or is not ready in time.
            ServerUnreachableError: If the server does not even answer before it gets the package.
        """
        self.set_share(dataset, 0)
        self._package_store.set_current(dataset, None, "candidate")
        self._until_live()
        self._package_store.set_current(dataset, model, "candidate")
        deadline = time.monotonic() + self._ready_seconds
        while True:
            try:
                left = deadline - time.monotonic()
                return self._order("candidate", dataset, "load", max(left, 1.0))
            except ServerUnreachableError as cause:  # it may be restarting
                if time.monotonic() > deadline:
                    self._routes()  # raises if the proxy is away, too
                    raise PackageNotServedError(
                        f"not ready after {self._ready_seconds:.0f} s: {cause}"
                    ) from cause
            time.sleep(0.2)

    def set_share(self, dataset: str, percent: int) -> None:
        """Set the traffic share of the candidate, as a lease; the next call renews it.

        Args:
            dataset: Name of the dataset.
            percent: Share of the requests, 0 to 100.

        Raises:
            UserError: If the proxy does not follow.
        """
        model = self._package_store.current(dataset, "candidate") or ""
        lease = TrafficLease(percent=percent, model=model, until=time.time() + LEASE_S)
        self._package_store.set_traffic(dataset, lease)
        self._until_in_force(dataset, percent)

    def detect(self, dataset: str, jpeg: bytes, track: Track) -> DetectAnswer | None:
        """Return what one server answers about a JPEG, or None if it has no package for it.

        Raises:
            UserError: If it declines, stays busy or does not answer.
        """
        return detect_on_server(
            self._client, self._url_of(track), track, dataset, jpeg, DETECT_TIMEOUT_S
        )

    def request_metrics(self, dataset: str, track: Track) -> RequestMetrics:
        """Return the request metrics of the proxy for one server."""
        return request_metrics_of(self._get("/metrics").text, dataset, track)

    def disruption(self, dataset: str) -> str | None:
        """Return None: on one machine no server is evicted."""
        del dataset
        return None

    def serve(self, dataset: str, model: str | None) -> None:
        """Load a package into the stable server, and end any rollout.

        Raises:
            PackageNotServedError: If the server refuses the package.
            ServerUnreachableError: If it does not answer.
        """
        self._package_store.set_current(dataset, model)
        self._order("stable", dataset, "load" if model else "unload", LOAD_S)
        self.remove_candidate(dataset)

    def remove_candidate(self, dataset: str) -> None:
        """Take the traffic from the candidate, then unload it."""
        self._package_store.set_traffic(dataset, None)
        with suppress(ServerUnreachableError):  # without a proxy the candidate gets no traffic
            self._until_in_force(dataset, 0)
        self._package_store.set_current(dataset, None, "candidate")
        with suppress(ApplicationError):
            self._order("candidate", dataset, "unload", DETECT_TIMEOUT_S)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _until_in_force(self, dataset: str, percent: int) -> None:
        deadline = time.monotonic() + FOLLOW_S
        while (found := self._percent(dataset)) != percent:
            if time.monotonic() > deadline:
                raise OutageError(
                    f"the reverse proxy gives the candidate {found} %, expected {percent} %: "
                    f"is its MODEL_ROOT {self._package_store.root}?"
                )
            time.sleep(0.02)

    def _until_live(self) -> None:
        """Wait for the candidates' server, which may still be starting.

        Raises:
            ServerUnreachableError: If it does not answer in time.
        """
        deadline = time.monotonic() + self._ready_seconds
        while True:
            url = self._url_of("candidate")
            try:
                self._client.get(f"{url}/v2/health/live")
                return
            except httpx.HTTPError as cause:
                if time.monotonic() > deadline:
                    raise ServerUnreachableError(
                        f"no candidate server answers at {url}: {cause}"
                    ) from cause
            time.sleep(0.2)

    def _percent(self, dataset: str) -> int:
        on_trial = self._routes().datasets.get(dataset)
        return on_trial.percent if on_trial else 0

    def _url_of(self, track: Track) -> str:
        return self._addresses[track]

    def _routes(self) -> RouteTable:
        answer = self._get("/routes")
        try:
            return RouteTable.model_validate_json(answer.content)
        except ValueError as cause:
            raise UserError(
                f"{self._url} is no reverse proxy with two servers behind it, expected one: "
                "python -m components route_requests"
            ) from cause

    def _order(self, track: Track, dataset: str, verb: str, seconds: float) -> None:
        url = self._url_of(track)
        try:
            path = f"/v2/repository/models/{dataset}/{verb}"
            answer = self._client.post(f"{url}{path}", timeout=seconds)
        except httpx.HTTPError as cause:
            raise ServerUnreachableError(f"no {track} server answers at {url}: {cause}") from cause
        if answer.is_error and (verb == "load" or answer.status_code != MISSING):
            raise PackageNotServedError(
                f"the {track} server does not {verb} {dataset}: {reason(answer)}"
            )

    def _get(self, path: str) -> httpx.Response:
        try:
            return self._client.get(f"{self._url}{path}")
        except httpx.HTTPError as cause:
            raise ServerUnreachableError(
                f"no reverse proxy answers at {self._url}: {cause}"
            ) from cause
