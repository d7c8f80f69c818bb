"""What goes to S3 goes in one request, and what is read of a local object is just that."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from components.shared.store.objects import Objects


@pytest.fixture
def asked(monkeypatch):
    """Be an S3 that notes what it is asked, and takes everything."""
    requests = []

    class Bucket(BaseHTTPRequestHandler):
        def do_PUT(self):
            length = int(self.headers["Content-Length"])
            requests.append((self.command, self.path, len(self.rfile.read(length))))
            self.send_response(200)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self):
            self.do_PUT()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "here", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
    }  # fmt: skip
    for name, value in address.items():
        monkeypatch.setenv(name, value)
    yield requests
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("size", [0, 1000, 12_000_000])
def test_an_object_is_put_whole_in_one_request(asked, size):
    Objects("s3://bucket").put("models/a", bytes(size))

    assert asked == [("PUT", "/bucket/models/a", size)]


@pytest.fixture
def local(tmp_path):
    objects = Objects((tmp_path / "a folder").as_uri())
    objects.put("shards/a", b"0123456789")
    return objects


@pytest.mark.parametrize(("offset", "found"), [(0, b"0123"), (3, b"3456"), (8, b"89")])
def test_a_part_of_a_local_object_ends_where_the_object_does(local, offset, found):
    assert local.get_range("shards/a", offset, 4) == found


def test_a_part_of_what_is_not_there_is_not_found(local):
    with pytest.raises(FileNotFoundError):
        local.get_range("shards/b", 0, 4)


def test_a_local_folder_that_is_forgotten_leaves_nothing(local, tmp_path):
    (tmp_path / "a folder/shards/a#1").write_bytes(b"what a killed writer left")

    local.delete_folder("shards")

    assert not list((tmp_path / "a folder").iterdir())


@pytest.mark.parametrize(
    ("key", "there"),
    [("shards/a", True), ("shards/b", False), ("shards", False), ("a" * 300, False),
     ("é" * 200, False), ("shards/a/b", False)],
)  # fmt: skip
def test_a_local_object_is_there_or_not(local, key, there):
    assert local.exists(key) is there


@pytest.mark.parametrize("key", ["../x", "shards/../../x", "shards//a", "shards/./a", "a\0b"])
def test_a_key_that_is_no_path_below_the_folder_is_refused(local, key):
    with pytest.raises(ValueError, match="Could not parse path"):
        local.exists(key)


def test_a_store_without_tls_is_reached_though_its_retries_are_bounded(asked):
    Objects("s3://cars", retry_s=1.0).put("frames/a.jpg", b"a JPEG")

    assert asked
