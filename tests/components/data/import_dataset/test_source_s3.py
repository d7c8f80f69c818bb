"""A prefix of S3 is read without the empty objects that stand for its folders."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from components.data.import_dataset.source import opened


class Bucket(BaseHTTPRequestHandler):
    """Be an S3 that lists its objects and gives them, as ListObjectsV2 and GetObject say."""

    objects: dict[str, bytes]
    given: list[str]

    def do_GET(self):
        url = urlsplit(self.path)
        key = unquote(url.path).removeprefix("/bucket").lstrip("/")
        self.reply(self.objects[key] if key else self.listed(parse_qs(url.query)))
        self.given += [key] if key else []

    def listed(self, query):
        rows = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(content)}</Size><ETag>e</ETag>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for key, content in self.objects.items()
            if key.startswith(query["prefix"][0])
        )
        return (
            f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()
        )

    def reply(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"e"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words):
        pass


@pytest.fixture
def bucket(monkeypatch):
    """Serve some objects; return their source, and the keys that were asked for."""
    server = HTTPServer(("127.0.0.1", 0), Bucket)
    access = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1",
    }  # fmt: skip
    for name, value in access.items():
        monkeypatch.setenv(name, value)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(objects):
        Bucket.objects, Bucket.given = objects, []
        return "s3://bucket/cars", Bucket.given

    yield serve
    server.shutdown()
    server.server_close()


def test_markers_of_folders_are_no_files_and_an_empty_label_is_one(bucket, picture):
    source, given = bucket(
        {
            "cars/": b"",
            "cars/images/": b"",
            "cars/images/a.jpg": picture(1),
            "cars/labels/": b"",
            "cars/labels/a.txt": b"",
        }
    )

    with opened(source) as folder:
        assert folder.files == ["images/a.jpg", "labels/a.txt"]
        assert folder.text("labels/a.txt") == ""
    assert given == ["cars/images/a.jpg"]


def test_a_prefix_of_markers_alone_holds_nothing(bucket):
    source, _ = bucket({"cars/": b""})

    with pytest.raises(Exception, match="holds no objects"), opened(source):
        pass
