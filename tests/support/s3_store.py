"""A small S3 server, which can be away, lack its bucket, or lack an object."""

import threading
from collections.abc import Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from pipelines.local.database import free_port

BUCKET = "proof"
LISTED = (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>{bucket}</Name>'
    "<IsTruncated>false</IsTruncated><KeyCount>{count}</KeyCount>{entries}</ListBucketResult>"
)
ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified>"
    '<ETag>"0"</ETag><Size>{size}</Size></Contents>'
)
NO_BUCKET = "<Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>"
NO_ANSWER = "<Error><Code>ProofFault</Code><Message>the proof says so</Message></Error>"
NO_KEY = "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"


class Store:
    """The S3; it answers from `open` to `close`, on one port.

    Attributes:
        objects: Bytes by key.
        has_bucket: Whether there is a bucket; without one every answer is 404.
        status: Of every answer, whatever is asked; None for the right one.
        bare: Whether it answers as if it held nothing.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.has_bucket = True
        self.status: int | None = None
        self.bare = False
        self._port = free_port()
        self._server: ThreadingHTTPServer | None = None

    @property
    def away(self) -> bool:
        """Whether it does not answer."""
        return self._server is None

    @property
    def environment(self) -> Mapping[str, str]:
        """Return what leads a client there."""
        return {
            "OBJECT_STORE_URL": f"s3://{BUCKET}",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "proof",
            "AWS_SECRET_ACCESS_KEY": "proof-secret",
        }

    def open(self) -> Self:
        """Begin to answer."""
        store = self

        class Handler(_Handler):
            of: Store = store

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def close(self) -> None:
        """Be away."""
        if server := self._server:
            self._server = None
            server.shutdown()
            server.server_close()

    def answer(self, path: str) -> tuple[int, bytes]:
        """Return status and content of a GET."""
        if self.status is not None:
            return self.status, NO_ANSWER.encode()
        _, bucket, *rest = unquote(path).split("/", 2)
        key = rest[0] if rest else ""
        if not self.has_bucket or bucket != BUCKET:
            return 404, NO_BUCKET.encode()
        held = {} if self.bare else self.objects
        if not key:
            return 200, _list(held).encode()
        return (200, held[key]) if key in held else (404, NO_KEY.encode())


def _list(held: Mapping[str, bytes]) -> str:
    entries = [
        ENTRY.format(key=escape(key), size=len(content)) for key, content in sorted(held.items())
    ]
    return LISTED.format(bucket=BUCKET, count=len(entries), entries="".join(entries))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    of: Store

    def do_GET(self) -> None:
        if self.of.away:  # this connection was opened before
            self.close_connection = True
            return
        status, content = self.of.answer(urlsplit(self.path).path)
        self.send_response(status)
        for name, text in (
            ("Content-Type", "application/xml"),
            ("Content-Length", str(len(content))),
            ("ETag", '"0"'),
            ("Last-Modified", formatdate(usegmt=True)),
        ):
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815, the library's own name

    def log_message(self, *_: object) -> None:
        pass
