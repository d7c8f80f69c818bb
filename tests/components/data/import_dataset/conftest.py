import io

import pytest
from PIL import Image

from components.data.import_dataset.find import find
from components.data.import_dataset.folder import ImageFolder


@pytest.fixture(scope="session")
def picture():
    """Encode a picture of one colour; each shade is another file."""

    def encode(shade=0, size=(64, 48), kind="JPEG", **options) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", size, (20 * shade, 99, 255 - 20 * shade)).save(buffer, kind, **options)
        return buffer.getvalue()

    return encode


@pytest.fixture
def fill(tmp_path):
    """Write files into a fresh folder, and return it."""

    def write(files: dict[str, bytes | str]):
        for name, content in files.items():
            path = tmp_path / "mine" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "mine"

    return write


@pytest.fixture
def found(fill, picture):
    """Read a folder of files; one whose content is None becomes a picture of 64 x 48 pixels."""

    def look(files):
        jpegs = {name: picture() for name, content in files.items() if content is None}
        return find(ImageFolder(fill(files | jpegs)))

    return look
