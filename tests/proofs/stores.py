"""An S3 that answers on this machine alone is made reachable from pods, with a bucket in it."""

import hashlib
import os
import re
import socket
import subprocess
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

import obstore

from components.shared.store.objects import Objects

REGION = "us-east-1"


class Relay:
    """Passes requests to this machine on to the S3 at AWS_ENDPOINT_URL, while it is entered.

    All passes untouched, signatures too, but ranges: they are cut here from whole objects,
    since Ceph's gateway on SQLite answers them with bytes from another place.
    """

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("", 0), _Relayed)
        self.url = f"http://{_own_address()}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Relayed(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        if "range" in self.headers:
            self._cut(*map(int, re.findall(r"\d+", self.headers["range"])))
            return
        there = HTTPConnection(urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc)
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        there.request(self.command, self.path, sent or None, dict(self.headers.items()))
        answer = there.getresponse()
        content = answer.read()
        length = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
        known = ("content-type", "etag", "last-modified")
        kept = {name: value for name, value in answer.getheaders() if name.lower() in known}
        self._answer(answer.status, content, {**kept, "Content-Length": str(length or 0)})
        there.close()

    def _cut(self, first: int, last: int) -> None:
        _, bucket, key = self.path.split("/", 2)
        whole = Objects(f"s3://{bucket}").get(key)
        headers = {
            "Content-Range": f"bytes {first}-{last}/{len(whole)}",
            "Content-Length": str(last + 1 - first),
            "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
            "ETag": '"whole"',
        }
        self._answer(206, whole[first : last + 1], headers)

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _pass_on  # noqa: N815 (their names)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _own_address() -> str:
    """Return the address of this machine that others see; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.254", 9))
        return str(probe.getsockname()[0])


def empty(objects: Objects) -> None:
    """Remove all that is in a store."""
    for batch in obstore.list(objects._store):
        for entry in batch:
            objects.delete(entry["path"])


def make_bucket(name: str) -> str:
    """Make a bucket, which may be there already, and return its URL."""
    keys = f"{os.environ['AWS_ACCESS_KEY_ID']}:{os.environ['AWS_SECRET_ACCESS_KEY']}"
    nothing = hashlib.sha256(b"").hexdigest()
    subprocess.run(
        ["curl", "--silent", "--show-error", "--fail-with-body", "--request", "PUT",
         "--aws-sigv4", f"aws:amz:{REGION}:s3", "--config", "-",
         "--header", f"x-amz-content-sha256: {nothing}",
         f"{os.environ['AWS_ENDPOINT_URL']}/{name}"],
        input=f"user = {keys}\n", text=True, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return f"s3://{name}"
