"""JPEGs that come from afar are fetched once: a local file keeps them, and goes when we do."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import mkstemp
from threading import Lock
from weakref import finalize

ROOM_BYTES = 4_000_000_000  # of the disk


class Copies:
    """Reads through a local file; what finds no room in it is fetched each time.

    Args:
        read: Returns a JPEG by its SHA-256.
        room_bytes: The most that the file may take.
    """

    def __init__(self, read: Callable[[str], bytes], room_bytes: int = ROOM_BYTES) -> None:
        """Open a file and take its name away, so that no kind of end leaves it behind."""
        self._read = read
        self._room = room_bytes
        self._file, name = mkstemp()
        Path(name).unlink()
        finalize(self, os.close, self._file)
        self._end = 0
        self._places: dict[str, tuple[int, int]] = {}
        self._lock = Lock()

    def read(self, sha256: str) -> bytes:
        """Return a JPEG, for any number of threads."""
        if place := self._places.get(sha256):
            return os.pread(self._file, *place)
        content = self._read(sha256)
        with self._lock:
            self._write(sha256, content)
        return content

    def _write(self, sha256: str, content: bytes) -> None:
        if sha256 in self._places or self._end + len(content) > self._room:
            return
        try:
            whole = os.pwrite(self._file, content, self._end) == len(content)
        except OSError:  # the disk has less room than we were given
            whole = False
        if not whole:
            self._room = 0
            return
        self._places[sha256] = len(content), self._end
        self._end += len(content)
