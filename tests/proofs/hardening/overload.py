"""The scenario of overload: many more clients than the server can answer, each with its picture."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import httpx

from tests.proofs.hardening.place import Place
from tests.proofs.table import Check, equal, holds, stated
from tests.support.running_servers import Running
from tests.support.tiny_packages import jpeg_of, make_package, scene

ANSWERS, CLIENTS = 100_000, 96
CELLS = 4  # of each side
MIN_RIGHT = 10_000  # those who are told to come again do so at once
TIMEOUT_S = 60


def overloaded_server(place: Place) -> Iterator[Check]:
    """Each answer is that of its own picture, or says that there are too many requests."""
    with ExitStack() as stack:
        server = Running(place.folder)
        stack.callback(server.stop)
        server.put(make_package(place.folder / "package"))
        server.load()
        pictures = [jpeg_of(scene({(x, y): 0})) for x in range(CELLS) for y in range(CELLS)]
        right = [_boxes(server.detect(picture).content) for picture in pictures]
        yield equal("pictures with answers of their own", len(set(map(str, right))), len(pictures))
        outcomes = _ask_all(server.url, pictures, right)
        yield equal("requests with an outcome", outcomes.total(), ANSWERS)
        yield equal("swapped answers", outcomes["swapped"], 0)
        others = {name for name in outcomes if name not in ("right", "503", "swapped")}
        yield equal("other outcomes", sorted(others), [])
        right_answers = outcomes["right"]
        limit = f">= {MIN_RIGHT:,}"
        yield holds("right answers", right_answers, limit, right_answers >= MIN_RIGHT)
        yield stated("outcomes", str(dict(outcomes)))
        yield equal("the server runs", server.process.poll(), None)


def _ask_all(url: str, pictures: list[bytes], right: list[list]) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    lock, address = threading.Lock(), httpx.URL(url)

    def client(number: int) -> None:
        random, mine = Random(number), Counter[str]()
        connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_S)
        for turn in range(number, ANSWERS, CLIENTS):
            chosen = random.randrange(len(pictures))
            try:
                mine[_ask(connection, pictures[chosen], right[chosen], f"{turn}")] += 1
            except (OSError, http.client.HTTPException) as error:
                mine[type(error).__name__] += 1
                connection.close()
        connection.close()
        with lock:
            outcomes.update(mine)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _ask(
    connection: http.client.HTTPConnection, picture: bytes, right: list, request_id: str
) -> str:
    headers = {"Content-Type": "image/jpeg", "X-Request-Id": request_id, "X-Log": "no"}
    connection.request("POST", "/v1/detect/toys", picture, headers)
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        return str(response.status)
    own = json.loads(content)["request_id"] == request_id and _boxes(content) == right
    return "right" if own else "swapped"


def _boxes(content: bytes) -> list:
    return json.loads(content)["boxes"]
