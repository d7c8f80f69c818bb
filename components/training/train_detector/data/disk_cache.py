"""Cache expensive values in an unnamed temporary file, which is freed when the process ends.

The file is read, not memory-mapped, so it takes none of a worker's memory: the system caches
as much of it as there is room for.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from threading import Lock
from typing import Generic, TypeVar
from weakref import finalize

ROOM_BYTES = 4_000_000_000  # of the disk
MAX_DISK_SHARE = 0.25  # of what others leave of the disk

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Packing(Generic[Made]):
    """Serialiser of cached values: to bytes and back."""

    pack: Callable[[Made], bytes]
    unpack: Callable[[bytes], Made]


AS_IT_IS = Packing(bytes, bytes)


class DiskCache:
    """Thread-safe cache of values by name; a value without room is made each time.

    The file is unlinked when it is opened, so that no kind of exit leaves it behind.

    Args:
        folder: Where the file lies.
        room_bytes: The most that it may take; it never takes more than a quarter of what others
            leave of the disk.

    Attributes:
        full: Whether something has found no room.
    """

    def __init__(self, folder: str | Path, room_bytes: int = ROOM_BYTES) -> None:
        self._file, name = mkstemp(dir=folder)
        Path(name).unlink()
        finalize(self, os.close, self._file).atexit = False  # threads may still read then
        self.full, self._most, self._end = False, room_bytes, 0
        self._places: dict[str, tuple[int, int]] = {}
        self._lock = Lock()

    def __contains__(self, name: str) -> bool:
        """Return whether a name is cached."""
        return name in self._places

    def get_or_make(self, name: str, make: Callable[[], Made], packing: Packing[Made]) -> Made:
        """Return the cached value of a name, or make it and cache it.

        Args:
            name: Key of the value.
            make: Makes it.
            packing: Makes it bytes, unless they would find no room in any case, and back.
        """
        if place := self._places.get(name):
            return packing.unpack(os.pread(self._file, *place))
        made = make()
        if not self.full:  # once full, always full
            content = packing.pack(made)
            with self._lock:
                self._keep(name, content)
        return made

    def _keep(self, name: str, content: bytes) -> None:
        if name in self._places:
            return
        try:
            self.full = self.full or not self._written(content)
        except OSError:  # the disk has less room than it said
            self.full = True
        if not self.full:
            self._places[name] = len(content), self._end
            self._end += len(content)

    def _written(self, content: bytes) -> bool:
        """Write at the end if there is room, and say whether all is there."""
        disk = os.fstatvfs(self._file)
        max_bytes = MAX_DISK_SHARE * (disk.f_bavail * disk.f_frsize + self._end)
        if self._end + len(content) > min(self._most, max_bytes):
            return False
        return os.pwrite(self._file, content, self._end) == len(content)
