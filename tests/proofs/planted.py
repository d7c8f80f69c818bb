"""Secrets that can be recognised wherever they turn up, and the search for them."""

import base64
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote

CHUNK = 1 << 20
ZSTANDARD = bytes.fromhex("28b52ffd")


@dataclass
class Search:
    """Looks for secrets in files, and counts what it has looked at.

    Args:
        secrets: By the name that they go by in the report.
    """

    secrets: dict[str, bytes]
    files: int = 0
    size: int = 0
    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._forms = {name: forms(secret) for name, secret in self.secrets.items()}
        self._overlap = max(len(form) for some in self._forms.values() for form in some)

    def folder(self, folder: Path) -> None:
        """Search every file under a folder."""
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                with file.open("rb") as stream:
                    self.stream(stream, str(file))

    def image(self, stream: IO[bytes], name: str) -> None:
        """Search what `docker save` writes: configurations as they are, layers file by file.

        Raises:
            ValueError: If a layer is packed so that its files cannot be seen.
        """
        for member, content in _members(stream):
            head = content.peek(512)
            if head.startswith(ZSTANDARD):
                raise ValueError(f"{name}, {member} is packed with zstd, which nobody looks into")
            if head[257:262] == b"ustar" or head[:2] == b"\x1f\x8b":
                for file, inside in _members(content):
                    self.stream(inside, f"{name}, {file}")
            else:
                self.stream(content, f"{name}, {member}")

    def stream(self, stream: IO[bytes], name: str) -> None:
        """Search one file."""
        self.files += 1
        rest = b""
        while chunk := stream.read(CHUNK):
            self.size += len(chunk)
            window = rest + chunk
            self.found += [
                f"{secret} in {name}"
                for secret, some in self._forms.items()
                if any(form in window for form in some)
            ]
            rest = window[-self._overlap :]


def _members(stream: IO[bytes]) -> Iterator[tuple[str, BufferedReader]]:
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name, cast(BufferedReader, content)


def forms(secret: bytes) -> set[bytes]:
    """Return how a secret may be written down: as it is, quoted for a URL, in base 64.

    In base 64 a text looks in one of three ways, by how much stands before it.
    """
    encoded = {base64.b64encode(b"\0" * before + secret)[4:-4] for before in range(3)}
    return {secret, quote(secret, safe="").encode(), *encoded}
