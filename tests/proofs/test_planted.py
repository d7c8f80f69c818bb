import base64
import gzip
import io
import tarfile

import pytest

from tests.proofs.planted import CHUNK, Search

SECRET = b"5ecret/of+thirty-two-characters!"


def tar(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        b"5ecret%2Fof%2Bthirty-two-characters%21",
        base64.b64encode(SECRET),
        base64.b64encode(b"user:" + SECRET + b"@host"),
        b"x" * (CHUNK - 9) + SECRET,
    ],
    ids=["plain", "in a URL", "in base 64", "in the midst of base 64", "across two reads"],
)
def test_a_secret_is_found_however_it_is_written(tmp_path, written):
    (tmp_path / "log.txt").write_bytes(b"before " + written + b" after")
    search = Search({"key": SECRET})
    search.folder(tmp_path)

    assert search.found == [f"key in {tmp_path / 'log.txt'}"]
    assert (search.files, search.size) == (1, len(written) + 13)


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain layer", "packed layer"])
def test_a_secret_in_a_layer_of_an_image_is_found(packed):
    layer = packed(tar({"etc/pip.conf": b"password = " + SECRET, "etc/other": b"nothing"}))
    search = Search({"key": SECRET})
    search.image(io.BytesIO(tar({"blobs/1": layer, "manifest.json": b"[]"})), "image")

    assert search.found == ["key in image, etc/pip.conf"]
    assert search.files == 3


def test_a_layer_that_cannot_be_looked_into_does_not_pass():
    layer = bytes.fromhex("28b52ffd") + b"packed"

    with pytest.raises(ValueError, match="image, blobs/1 is packed with zstd"):
        Search({"key": SECRET}).image(io.BytesIO(tar({"blobs/1": layer})), "image")


def test_a_secret_in_the_history_of_an_image_is_found():
    search = Search({"key": SECRET})
    search.image(io.BytesIO(tar({"config.json": b'{"created_by": "' + SECRET + b'"}'})), "image")

    assert search.found == ["key in image, config.json"]
