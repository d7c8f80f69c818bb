"""Groups of processes that the kernel limits in memory, in either version of its interface.

Source:
    The Linux kernel's documentation: "Control Group v2" and "Memory Resource Controller".
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

MOUNTED = Path("/sys/fs/cgroup")
LIMIT = ("memory.max", "memory.limit_in_bytes")
PEAK = ("memory.peak", "memory.max_usage_in_bytes")
KILLS = ("memory.events", "memory.oom_control")
DROP_CACHES = Path("/proc/sys/vm/drop_caches")


@dataclass(frozen=True)
class Cgroup:
    """One group.

    Attributes:
        folder: By which it is spoken to.
    """

    folder: Path

    def join(self) -> None:
        """Put this process into it, before anything that counts."""
        (self.folder / "cgroup.procs").write_text("0")

    def peak_bytes(self) -> int:
        """Return the most memory that was used at one time."""
        return int(self._file(PEAK).read_text())

    def kills(self) -> int:
        """Return how many of its processes were killed for want of memory."""
        (found,) = re.findall(r"^oom_kill (\d+)", self._file(KILLS).read_text(), re.MULTILINE)
        return int(found)

    def limit(self, size: int) -> None:
        """Allow so many bytes, and no swapping."""
        self._file(LIMIT).write_text(str(size))
        for file, word in (("memory.swap.max", "0"), ("memory.swappiness", "0")):
            if (self.folder / file).exists():
                (self.folder / file).write_text(word)

    def _file(self, names: tuple[str, str]) -> Path:
        return next(file for name in names if (file := self.folder / name).exists())


def above() -> Path:
    """Return the folder in which groups with a limit can be made."""
    return MOUNTED if (MOUNTED / "cgroup.controllers").exists() else MOUNTED / "memory"


@contextmanager
def limited_to(size: int, count: int) -> Iterator[list[Cgroup]]:
    """Make groups of so many bytes each, in a machine that remembers no file, and remove them."""
    os.sync()
    DROP_CACHES.write_text("1")  # what others have read would be counted against nobody
    with ExitStack() as stack:
        groups = [Cgroup(above() / f"proof-{secrets.token_hex(4)}") for _ in range(count)]
        for group in groups:
            group.folder.mkdir()
            stack.callback(group.folder.rmdir)
            group.limit(size)
        yield groups
