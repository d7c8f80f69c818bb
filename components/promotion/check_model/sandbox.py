"""Run a process in a sandbox: own session and folder, rlimits, no network, a watchdog timeout."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Timer
from types import MappingProxyType
from typing import Self

from components.promotion.check_model.faults import PackageRejectedError, ending
from components.shared.contracts.policy import CheckPolicy
from components.shared.inference.memory import MB, peak_memory_mb

ROOT = Path(__file__).parents[3]  # of the source tree
MAX_LOG_BYTES = 16_000_000  # of a file that the process writes
DYING_S = 5.0  # from a broken connection until its process has ended
LAST_BYTES = 400  # of the log, for the message


class Sandbox:
    """One process without our environment, in a session, a folder and limits of its own.

    The process starts with the object; leaving the context kills it and all its children.

    Args:
        command: Program and arguments.
        folder: Its working directory, home and temporary folder, with its log.
        policy: Limits of memory and CPU time.
        variables: Environment variables beside the usual ones.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        policy: CheckPolicy,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._policy, self._expired, self._before = policy, False, 0
        self._log = folder / "log.txt"
        limits = (os.getpid(), policy.max_memory_mb * MB, policy.max_cpu_s, MAX_LOG_BYTES)
        module = "components.promotion.check_model.rlimits"
        limited = [sys.executable, "-m", module, *map(str, limits)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*limited, *command], cwd=folder, env=_environment(folder) | dict(variables),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._kill()
        self._process.wait()

    def until(self, done: Callable[[], bool]) -> None:
        """Wait until a condition is true.

        Raises:
            ConnectionError: If the process ends before.
        """
        while not done():
            if self._process.poll() is not None:
                raise ConnectionError("it has ended")
            time.sleep(0.01)

    @contextlib.contextmanager
    def within(self, seconds: float, doing: str) -> Iterator[None]:
        """Run a block with a watchdog, which kills the process after a timeout.

        Args:
            seconds: Timeout of the block, in seconds.
            doing: Activity of the process for the message, such as `loads the package`.

        Raises:
            PackageRejectedError: In place of a broken connection, with the way the process
                ended and the end of its log.
        """
        self._before = self._log.stat().st_size
        watchdog = Timer(seconds, self._expire)
        watchdog.start()
        try:
            yield
        except ConnectionError as cause:
            raise PackageRejectedError(self._failure(seconds, doing)) from cause
        finally:
            watchdog.cancel()
            watchdog.join()

    def peak_memory_mb(self) -> float:
        """Return the peak memory of the process, in MB (10^6 bytes).

        Raises:
            ConnectionError: If the process has ended.
        """
        try:
            return peak_memory_mb(self._process.pid)
        except ProcessLookupError as cause:
            raise ConnectionError("it has ended") from cause

    def _expire(self) -> None:
        self._expired = True
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _failure(self, seconds: float, doing: str) -> str:
        """Return in words how the process ended, after its connection broke."""
        try:
            end = ending(self._process.wait(DYING_S), self._policy.max_cpu_s)
        except subprocess.TimeoutExpired:
            end = "breaks the connection"
        if self._expired:
            end = f"hangs and is killed after {seconds:g} s"
        sentence = f"the server {end} while it {doing}"
        words = self._last_words()
        return f"{sentence}; end of its log: {words}" if words else sentence

    def _last_words(self) -> str:
        """Return the end of the log since the current block began."""
        with self._log.open("rb") as log:
            log.seek(max(self._before, self._log.stat().st_size - LAST_BYTES))
            return log.read().decode(errors="replace").strip()


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment variables of the process: paths and thread limits, no secrets."""
    home = str(folder)
    return {
        "PATH": os.defpath, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", "LANG": "C.UTF-8",
        "HOME": home, "TMPDIR": home,
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2",
    }  # fmt: skip
