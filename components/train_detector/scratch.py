"""What was costly to get is kept in a local file without a name, which goes when we do.

It is read, not mapped, so it takes none of a worker's memory: the system keeps of it what it
has room for.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkstemp
from threading import Lock
from weakref import finalize

ROOM_BYTES = 4_000_000_000  # of the disk
MOST_SHARE = 0.25  # of what is free there


class Scratch:
    """Bytes by name, for any number of threads; what finds no room is made each time.

    Args:
        folder: Where the file lies.
        room_bytes: The most that it may take; it never takes more than a quarter of what is
            free.
    """

    def __init__(self, folder: str | Path, room_bytes: int = ROOM_BYTES) -> None:
        """Open the file and take its name away, so that no kind of end leaves it behind."""
        self._file, name = mkstemp(dir=folder)
        Path(name).unlink()
        finalize(self, os.close, self._file)
        self._room = min(room_bytes, int(MOST_SHARE * shutil.disk_usage(folder).free))
        self._end = 0
        self._places: dict[str, tuple[int, int]] = {}
        self._lock = Lock()

    def __contains__(self, name: str) -> bool:
        """Say whether the bytes of a name are kept."""
        return name in self._places

    def kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return the bytes of a name, made now if they are not kept."""
        if place := self._places.get(name):
            return os.pread(self._file, *place)
        content = make()
        with self._lock:
            self._keep(name, content)
        return content

    def _keep(self, name: str, content: bytes) -> None:
        if name in self._places or self._end + len(content) > self._room:
            return
        try:
            whole = os.pwrite(self._file, content, self._end) == len(content)
        except OSError:  # the disk has less room than we were given
            whole = False
        if not whole:
            self._room = 0
            return
        self._places[name] = len(content), self._end
        self._end += len(content)
