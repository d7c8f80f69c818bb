"""Load generator: send detection requests during a canary rollout, and count the responses."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import cycle
from threading import Event, Thread
from types import TracebackType
from typing import Self

import httpx

from components.shared.contracts.refusal import Refusal
from components.shared.traffic.routes import Routes

RATE = 20.0  # requests a second, of all clients together


class Clients:
    """Asks about pictures in turn, as long as a candidate is on trial, from a thread.

    Args:
        url: The front door.
        dataset: Who is asked.
        jpegs: What is asked about; without any, nobody asks.
        watch: Called with the candidate's share in percent, several times a second.

    Attributes:
        statuses: How often each HTTP status was answered; 0 stands for no answer.
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
        """Begin to look whether there is a candidate.

        Raises:
            Refusal: If there is no front door to ask.
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
        """Stop asking."""
        self._over.set()
        self._thread.join()

    @property
    def failed(self) -> int:
        """How many requests were not answered with 200."""
        return self.statuses.total() - self.statuses[200]

    @property
    def told(self) -> str:
        """What they met, in words."""
        return f"{self.statuses.total():,} client requests, {self.failed} failed"

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30, trust_env=False) as client:
            for jpeg in cycle(self._jpegs):
                over = self._over.wait(1 / RATE)
                on_trial = self._look(client)  # a last time when it is over
                if over:
                    return
                if on_trial:
                    self.statuses[self._ask(client, jpeg)] += 1

    def _look(self, client: httpx.Client) -> bool:
        """Say whether a candidate is on trial; who cannot be asked has told nothing."""
        try:
            on_trial = _routes(client).datasets.get(self._dataset)
        except Refusal:
            return False
        self._watch(on_trial.percent if on_trial else 0)
        return on_trial is not None

    def _ask(self, client: httpx.Client, jpeg: bytes) -> int:
        headers = {"X-Log": "no", "Content-Type": "image/jpeg"}
        try:
            path = f"/v1/detect/{self._dataset}"
            return client.post(path, content=jpeg, headers=headers).status_code
        except httpx.HTTPError:
            return 0


def _routes(client: httpx.Client) -> Routes:
    """Return who answers, and who is on trial.

    Raises:
        Refusal: If no front door answers.
    """
    try:
        return Routes.model_validate_json(client.get("/routes").content)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as cause:
        raise Refusal(
            f"no front door answers at DETECTOR_URL {client.base_url}, expected one: "
            "python -m components route_requests"
        ) from cause
