"""Send one prepared request over kept-alive connections, and print the answers a second.

`python -m tests.benchmarks.http_load URL CLIENTS SECONDS [HEADER: VALUE ...] <BODY`. Each client
is a thread with a blocking socket, and knows only enough of HTTP to find the end of an answer: a
library would take a good part of the processors that the server needs.
"""

import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

ROUND_TRIP_S = 30


def rate(url: str, clients: int, seconds: float, body: bytes, *headers: str) -> float:
    """Return the answers a second that a process of its own counts.

    Args:
        url: Where the request is posted to.
        clients: Connections, each with one request at a time.
        seconds: How long.
        body: Body of the request.
        headers: Further headers, such as `X-Log: no`.
    """
    process = subprocess.run(
        [sys.executable, "-m", __name__, url, str(clients), str(seconds), *headers],
        input=body, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return float(process.stdout)


class Client:
    """A connection with one prepared request.

    Args:
        url: Where the request is posted to.
        body: Body of the request.
        headers: Further headers.
    """

    def __init__(self, url: str, body: bytes, headers: list[str]) -> None:
        where = urlsplit(url)
        lines = [f"POST {where.path} HTTP/1.1", f"Host: {where.netloc}",
                 f"Content-Length: {len(body)}", *headers, "", ""]  # fmt: skip
        self._request = "\r\n".join(lines).encode() + body
        address = (where.hostname, where.port)
        self._socket = socket.create_connection(address, timeout=ROUND_TRIP_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self) -> None:
        """Send the request and read its answer.

        Raises:
            ValueError: If the answer is not 200.
        """
        self._socket.sendall(self._request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._received()
        head, _, rest = answer.partition(b"\r\n\r\n")
        status, *fields = head.lower().split(b"\r\n")
        if status.split()[1] != b"200":
            raise ValueError(f"the server answers {status.decode()}")
        values = dict(field.split(b":", 1) for field in fields)
        missing = int(values[b"content-length"]) - len(rest)
        while missing > 0:
            missing -= len(self._received())

    def _received(self) -> bytes:
        part = self._socket.recv(65536)
        if not part:
            raise ValueError("the server closed the connection")
        return part


def main(url: str, clients: str, seconds: str, *headers: str) -> None:
    """Print the answers a second."""
    body = sys.stdin.buffer.read()
    every = [Client(url, body, list(headers)) for _ in range(int(clients))]
    for client in every:
        client.ask()
    counts, over = [0] * len(every), threading.Event()

    def work(number: int) -> None:
        while not over.is_set():
            every[number].ask()
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(len(every))]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    over.wait(float(seconds))
    if not all(thread.is_alive() for thread in threads):
        sys.exit("a client failed")
    print(sum(counts) / (time.monotonic() - began))


if __name__ == "__main__":
    main(*sys.argv[1:])
