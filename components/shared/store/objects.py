"""Read and write objects in a folder or an S3 bucket, as OBJECT_STORE_URL says."""

import hashlib
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import BaseError as StoreError
from obstore.store import LocalStore, ObjectStore, from_url

__all__ = ["Objects", "StoreError", "digest_bytes", "frame_key"]

# What is smaller goes in one request: not every S3 puts parts together again as they were.
PART_FROM_BYTES = 100_000_000

# Keys that are paths below a folder as they stand; others are for the library to refuse.
PLAIN_KEY = re.compile(r"[a-zA-Z0-9_][\w.-]*(/[a-zA-Z0-9_][\w.-]*)*", re.ASCII)
NAME_BYTES = 255  # of a file, at most


class Objects:
    """One object store; a local folder is created if it is missing.

    Args:
        url: `file:///folder`, `s3://bucket/prefix` or whatever obstore knows; the
            credentials of a cloud come from its usual environment variables.
        retry_s: How long a request to a cloud is tried again, in seconds; obstore's own
            patience, some minutes, if None.
    """

    def __init__(self, url: str, retry_s: float | None = None) -> None:
        self.url = url.rstrip("/")
        local = url.startswith("file://")
        self._folder = Path(url2pathname(urlsplit(url).path)) if local else None
        self._store: ObjectStore = (
            LocalStore.from_url(url, mkdir=True) if local else from_url(url, **_patience(retry_s))
        )

    def uri(self, key: str) -> str:
        """Return the URI of a key."""
        return f"{self.url}/{key}"

    def key(self, uri: str) -> str:
        """Return the key of a URI in this store.

        Raises:
            ValueError: If the address lies elsewhere.
        """
        if not uri.startswith(f"{self.url}/"):
            raise ValueError(f"{uri} is not in the object store {self.url}")
        return uri.removeprefix(f"{self.url}/")

    def put(self, key: str, content: bytes | memoryview) -> str:
        """Store bytes atomically, and return their URI.

        Args:
            key: Key of the object.
            content: Bytes of the object.
        """
        obstore.put(self._store, key, content, use_multipart=len(content) > PART_FROM_BYTES)
        return self.uri(key)

    def put_once(self, key: str, content: bytes) -> str:
        """Store bytes under a key that names their content; existing ones are not written again.

        Args:
            key: Key of the object.
            content: Bytes of the object.
        """
        return self.uri(key) if self.exists(key) else self.put(key, content)

    def get(self, key: str) -> bytes:
        """Return the bytes under a key.

        Raises:
            FileNotFoundError: If there are none.
        """
        return bytes(obstore.get(self._store, key).bytes())

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Return a range of the bytes under a key, without reading the rest.

        It is shorter where the object ends early.

        Args:
            key: Key of the object.
            offset: First byte, from 0.
            length: Number of bytes.

        Raises:
            FileNotFoundError: If there are none.
        """
        if self._folder:  # a small read costs less than waking the library's threads
            with (self._folder / key).open("rb", buffering=0) as file:
                return os.pread(file.fileno(), length, offset)
        return bytes(obstore.get_range(self._store, key, start=offset, length=length))

    def exists(self, key: str) -> bool:
        """Return whether a key exists."""
        if self._folder and PLAIN_KEY.fullmatch(key):  # a hundredth of the library's time
            return os.path.isfile(self._folder / key)
        if self._folder and any(len(part.encode()) > NAME_BYTES for part in key.split("/")):
            return False  # no file can have that name
        try:
            obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        return True

    def is_empty(self) -> bool:
        """Return whether the store has no objects.

        Raises:
            StoreError: If there is not even a bucket.
        """
        return not any(obstore.list(self._store, chunk_size=1))

    def put_folder(self, prefix: str, folder: str | Path) -> str:
        """Store every file of a folder under a prefix, and return the prefix's address.

        Args:
            prefix: Prefix of the keys.
            folder: Local folder.
        """
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file():
                self.put(f"{prefix}/{file.relative_to(folder)}", file.read_bytes())
        return self.uri(prefix)

    def get_folder(self, prefix: str, folder: str | Path) -> None:
        """Copy every object under a prefix to a folder.

        Args:
            prefix: Prefix of the keys.
            folder: Local folder.
        """
        for batch in obstore.list(self._store, prefix):
            for entry in batch:
                target = Path(folder) / entry["path"].removeprefix(f"{prefix}/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self.get(entry["path"]))

    def keys(self, prefix: str) -> list[str]:
        """Return the keys under a prefix, in order."""
        found = obstore.list(self._store, prefix)
        return sorted(str(entry["path"]) for batch in found for entry in batch)

    def sizes(self) -> dict[str, int]:
        """Return the bytes of every object by its key, in order."""
        found = (entry for batch in obstore.list(self._store) for entry in batch)
        return dict(sorted((str(entry["path"]), int(entry["size"])) for entry in found))

    def download(self, key: str, file: Path, max_bytes: int | None = None) -> int:
        """Copy an object to a file piece by piece, and return its size in bytes.

        Args:
            key: Key of the object.
            file: Becomes the copy; its folder is made if it is missing.
            max_bytes: A larger object is not copied; None copies any.

        Raises:
            FileNotFoundError: If there is none.
        """
        found = obstore.get(self._store, key)
        size = int(found.meta["size"])
        if max_bytes is None or size <= max_bytes:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as target:
                for piece in found.stream():
                    target.write(piece)
        return size

    def delete(self, key: str) -> None:
        """Delete the bytes under a key."""
        obstore.delete(self._store, key)

    def delete_folder(self, prefix: str) -> None:
        """Delete all under a prefix, including unfinished local files of a killed writer."""
        for key in self.keys(prefix):
            self.delete(key)
        if self._folder:
            shutil.rmtree(self._folder / prefix, ignore_errors=True)


def _patience(retry_s: float | None) -> dict[str, Any]:
    # No client options: they would replace those of the environment, such as AWS_ALLOW_HTTP.
    return (
        {} if retry_s is None else {"retry_config": {"retry_timeout": timedelta(seconds=retry_s)}}
    )


def frame_key(sha256: str) -> str:
    """Return the key of a frame's JPEG.

    >>> frame_key("ab12")
    'frames/ab/ab12.jpg'
    """
    return f"frames/{sha256[:2]}/{sha256}.jpg"


def digest_bytes(content: bytes) -> str:
    """Return the SHA-256 of bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
