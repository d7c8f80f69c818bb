"""Limits of a real server: each client writes its bytes itself."""

import json
import socket
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from components.shared.contracts.errors import UserError
from components.shared.traffic.connection import Connection
from components.shared.traffic.host_names import HostNames
from components.shared.traffic.http_errors import EXCEPTION_HANDLERS
from components.shared.traffic.limit import BodyLimit
from components.shared.traffic.listen import Server, listen, port_of

SECONDS = 0.3  # that headers and bodies may take
MOST, TOTAL, CONNECTIONS = 200_000, 500_000, 12
trimmed = threading.Event()


async def length(request):
    return JSONResponse({"bytes": len(await request.body())})


async def much(_):
    return JSONResponse("x" * 20_000_000)


class Limited:
    """A server with small limits."""

    def __init__(self):
        routes = [Route("/", length, methods=["POST"]), Route("/much", much)]
        app = Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)
        limited = BodyLimit(app, lambda _: MOST, TOTAL, SECONDS, trimmed.set)
        listener = listen("127.0.0.1", 0)
        self.port = port_of(listener)
        self.server = Server(HostNames(limited, ["127.0.0.1"]), {listener: None})
        self.thread = threading.Thread(target=self.server.run_until_stopped, daemon=True)
        self.thread.start()

    def connect(self, sent=b""):
        connection = socket.create_connection(("127.0.0.1", self.port), 5)
        connection.sendall(sent)
        return connection

    def until_connections(self, count):
        while len(self.server.server_state.connections) != count:
            time.sleep(0.01)

    def post(self, length=4, body=b"body", host="127.0.0.1"):
        return self.connect(head(length, host) + body)


def head(length, host="127.0.0.1"):
    return f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n".encode()


def status(connection):
    """The status of the answer; 0 if the connection is closed without one."""
    try:
        first = connection.recv(65_536)
    except ConnectionError:
        first = b""
    connection.close()
    return int(first.split()[1]) if first else 0


@pytest.fixture(scope="module")
def limited():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "max_header_seconds", SECONDS)
        patch.setattr(Connection, "max_unread_seconds", SECONDS)
        patch.setattr("components.shared.traffic.connection.MAX_CONNECTIONS", CONNECTIONS)
        server = Limited()
        yield server
        server.server.should_exit = True
        server.thread.join(15)


@pytest.fixture(autouse=True)
def is_well(limited):
    """After every attack a neighbour is answered."""
    yield
    neighbour = limited.post()
    answer = neighbour.recv(65_536)
    neighbour.close()

    assert b" 200 OK" in answer
    assert json.loads(answer.split(b"\r\n\r\n")[1]) == {"bytes": 4}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", 0),
        (b"POST / HTT", 408),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", 408),
        (head(100) + b"half", 408),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nha", 408),
    ],
    ids=["nothing", "a verb", "headers", "a body", "a chunk"],
)
def test_a_client_that_does_not_go_on_is_cut_off(limited, sent, expected):
    began = time.monotonic()

    assert status(limited.connect(sent)) == expected
    assert SECONDS * 0.9 < time.monotonic() - began < 5


def test_a_kept_connection_is_cut_off_within_its_second_request(limited):
    connection = limited.post()
    connection.recv(65_536)
    connection.sendall(b"POST /")

    assert status(connection) == 408


def test_a_client_that_sends_a_byte_at_a_time_is_cut_off(limited):
    connection = limited.post(1000, b"")

    with pytest.raises(ConnectionError):
        drip(connection)
    connection.close()


def drip(connection):
    for _ in range(500):
        connection.sendall(b"x")
        time.sleep(0.01)


def test_a_client_that_reads_no_answer_is_cut_off(limited):
    connection = limited.connect(b"GET /much HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    limited.until_connections(1)
    limited.until_connections(0)
    connection.close()


@pytest.mark.parametrize(
    "headers",
    [b"X: " + b"x" * 70_000, b"X: y\r\n" * 15_000],
    ids=["one long header", "many headers"],
)
def test_long_headers_are_refused(limited, headers):
    assert status(limited.connect(b"POST / HTTP/1.1\r\n" + headers)) in (431, 0)


def test_headers_behind_a_chunked_body_are_bounded_too(limited):
    connection = limited.connect(
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        + b"X: y\r\n" * 15_000
    )

    assert status(connection) in (431, 0)


def test_chunks_of_one_byte_are_a_body_as_any_other(limited):
    chunks = b"1\r\nx\r\n" * 30_000 + b"0\r\n\r\n"
    connection = limited.connect(
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    )

    assert status(connection) == 200


def test_idle_connections_do_not_shut_others_out(limited):
    idle = [limited.connect() for _ in range(CONNECTIONS * 2)]
    began = time.monotonic()
    answered = status(limited.post())
    seconds = time.monotonic() - began
    for connection in idle:
        connection.close()

    assert answered == 200
    assert seconds < SECONDS


def test_the_body_that_comes_slowest_gives_way(limited):
    slow = [limited.post(MOST, b"x" * (MOST - 1)) for _ in range(4)]
    time.sleep(0.05)
    answered = status(limited.post(MOST, b"x" * MOST))

    assert answered == 200
    assert status(slow[0]) == 503
    assert {status(connection) for connection in slow[1:]} <= {503, 408}


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused(limited, announced):
    chunked = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n" % (MOST + 1) + b"x" * (MOST + 1)
    connection = limited.post(MOST + 1) if announced else limited.connect(chunked + chunk)

    assert status(connection) == 413


def test_memory_goes_back_after_many_bytes(limited, monkeypatch):
    monkeypatch.setattr("components.shared.traffic.limit.TRIM_BYTES", 0)
    monkeypatch.setattr("components.shared.traffic.limit.TRIM_DELAY_S", 0)
    trimmed.clear()
    limited.post().recv(10)

    assert trimmed.wait(5)


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", 200), ("127.0.0.1:80", 200), ("evil.example", 421)]
)
def test_only_hosts_that_it_was_told_are_answered(limited, host, expected):
    assert status(limited.post(host=host)) == expected


def test_a_port_that_is_taken_is_named(limited):
    with pytest.raises(
        UserError, match=rf"nothing can listen on 127\.0\.0\.1 port {limited.port}: "
    ):
        listen("127.0.0.1", limited.port)
