"""Load generator: send detection requests during a canary rollout, and count the responses."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import cycle
from threading import Event, Thread
from types import TracebackType
from typing import Self

import httpx

from components.shared.contracts.errors import OutageError
from components.shared.traffic.routes import RouteTable

RATE = 20.0  # requests a second, of all clients together


class Clients:
    """Send pictures to the proxy in turn, from a thread, while a candidate is on trial.

    Args:
        url: URL of the reverse proxy.
        dataset: Name of the dataset.
        jpegs: The pictures; without any, no request is sent.
        watch: Called with the candidate's traffic share, 0 to 100 %, several times a second.

    Attributes:
        statuses: Number of responses by HTTP status; 0 stands for no response.
    """

    def __init__(
        self,
        url: str,
        dataset: str,
        jpegs: Sequence[bytes],
        watch: Callable[[int], None] = lambda percent: None,
    ) -> None:
        self.statuses: Counter[int] = Counter()
        self._url, self._dataset, self._jpegs, self._watch = url, dataset, jpegs, watch
        self._over = Event()
        self._thread = Thread(target=self._run, name="clients", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread.

        Raises:
            OutageError: If no proxy answers.
        """
        with httpx.Client(base_url=self._url, timeout=30, trust_env=False) as client:
            _routes(client)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the thread."""
        self._over.set()
        self._thread.join()

    @property
    def failed(self) -> int:
        """Number of requests that had no response with status 200."""
        return self.statuses.total() - self.statuses[200]

    @property
    def summary(self) -> str:
        """A sentence with the number of requests and failures."""
        return f"{self.statuses.total():,} client requests, {self.failed} failed"

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30, trust_env=False) as client:
            for jpeg in cycle(self._jpegs):
                over = self._over.wait(1 / RATE)
                on_trial = self._watch_share(client)  # once more when it is over
                if over:
                    return
                if on_trial:
                    self.statuses[self._detect(client, jpeg)] += 1

    def _watch_share(self, client: httpx.Client) -> bool:
        """Return whether a candidate is on trial; False if the proxy does not answer."""
        try:
            on_trial = _routes(client).datasets.get(self._dataset)
        except OutageError:
            return False
        self._watch(on_trial.percent if on_trial else 0)
        return on_trial is not None

    def _detect(self, client: httpx.Client, jpeg: bytes) -> int:
        headers = {"X-Log": "no", "Content-Type": "image/jpeg"}
        try:
            path = f"/v1/detect/{self._dataset}"
            return client.post(path, content=jpeg, headers=headers).status_code
        except httpx.HTTPError:
            return 0


def _routes(client: httpx.Client) -> RouteTable:
    """Return the routes of the proxy: the stable model and the candidate of each dataset.

    Raises:
        OutageError: If no proxy answers.
    """
    try:
        return RouteTable.model_validate_json(client.get("/routes").content)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as cause:
        raise OutageError(
            f"no reverse proxy answers at DETECTOR_URL {client.base_url}, expected one: "
            "python -m components route_requests"
        ) from cause
