"""Child processes that end with their parent: start, wait until ready, restart, stop.

The kernel signals a child when its parent dies, so a SIGKILL of the parent ends it too.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from components.shared.contracts.errors import OutageError

PR_SET_PDEATHSIG = 1
REVIVE_S = 2.0  # between two starts of what ends by itself
_libc = ctypes.CDLL(None)


class EmbeddedServiceError(OutageError):
    """An embedded service did not start, or stopped by itself."""


class Part(ABC):
    """An embedded service that runs from its construction until it is stopped."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the service and wait until it has stopped."""

    def __enter__(self) -> Self:
        """Return the service, which runs already."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Stop the service."""
        self.stop()


class Child:
    """One running process with its log in a file, started by the constructor.

    Args:
        name: What to call it when it fails.
        command: Program and arguments.
        log: File that takes what it prints.
        env: Its whole environment.
        death_signal: Signal that it gets when this process dies, even by SIGKILL.
        user: Numeric user id to run it as; None keeps this process's own.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
        user: int | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command, self._env = list(command), env
        self._death_signal, self._user = death_signal, user
        self.process = self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        self._start = self.log.stat().st_size if self.log.exists() else 0
        parent = os.getpid()

        def tie_to_parent() -> None:
            _libc.prctl(PR_SET_PDEATHSIG, self._death_signal)
            if os.getppid() != parent:  # it died before the tie was made
                os._exit(1)

        with self.log.open("ab") as output:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if self._env is None else dict(self._env),
                start_new_session=True,
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
                preexec_fn=tie_to_parent,
            )

    def output(self) -> str:
        """Return the log so far."""
        with self.log.open("rb") as file:
            file.seek(self._start)
            return file.read().decode(errors="replace")

    def wait_until(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until the process is ready.

        Args:
            ready: Returns whether it is.
            seconds: Maximum time to wait.

        Raises:
            EmbeddedServiceError: If it ends before, or takes longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            self.must_run()
            if time.monotonic() > deadline:
                raise EmbeddedServiceError(
                    f"{self.name} was not ready in {seconds:.0f} s: {self._end()}"
                )
            time.sleep(0.02)

    def must_run(self) -> None:
        """Raise EmbeddedServiceError if the process has ended by itself."""
        if self.process.poll() is not None:
            raise EmbeddedServiceError(
                f"{self.name} ended with {self.process.returncode}: {self._end()}"
            )

    def stop(self, by: signal.Signals = signal.SIGTERM, seconds: float = 20) -> None:
        """End the process and all its children, and kill them if they do not end in time.

        Args:
            by: Signal to send first.
            seconds: Time until SIGKILL.
        """
        if self.process.poll() is None:
            self.process.send_signal(by)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _end(self) -> str:
        return " / ".join(self.output().strip().splitlines()[-3:]) or "it printed nothing"


class Revived(Child):
    """A child process that is restarted when it ends, once it was ready."""

    def wait_until(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until the process is ready; one that ends before that is not restarted.

        Args:
            ready: Returns whether the process is ready.
            seconds: Maximum time to wait, in seconds.
        """
        self._starting = True
        super().wait_until(ready, seconds)
        self._starting = False

    def must_run(self) -> None:
        """Restart the process if it has ended, at most once in `REVIVE_S` seconds.

        Raises:
            EmbeddedServiceError: If it ends while it starts for the first time.
        """
        if self._starting:
            super().must_run()
        elif self.process.poll() is not None and time.monotonic() - self._revived > REVIVE_S:
            self._revived = time.monotonic()
            self.process = self._launch()

    _starting = False
    _revived = 0.0
