"""Workers on this machine: processes that share its cores, and end together, however it ends."""

import json
import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from components.contracts.refusal import Refusal
from components.store.objects import Objects
from components.train_detector.launchers.outcome import TrainingError
from components.train_detector.plan import Plan
from components.train_detector.worker import REFUSED

LOOK_EVERY_S = 0.2
LEAVE_WITHIN_S = 30.0  # after the first worker is done
LAST_WORDS = 2000  # characters of a log that are worth showing


def launch_local(work: Path, plan: Plan, objects: Objects) -> None:
    """Run the workers of a plan as processes on this machine.

    Each worker's standard input is a pipe that only we hold: when we end, by whatever
    signal, it closes and they end too. Their words beside progress go to
    `worker-<n>.log` beside the plan.

    Args:
        work: Laid out as `PlanLayout`.
        plan: The plan in it.
        objects: Holds the shards, and takes the outcome.

    Raises:
        Refusal: If a worker refused what the user gave.
        TrainingError: If a worker ended otherwise.
    """
    with ExitStack() as stack:
        team = []
        for index, tf_config in enumerate(tf_configs(plan.settings.workers)):
            environment = {"TF_CONFIG": tf_config, "OBJECT_STORE_URL": objects.url}
            team.append(_start(work, environment, work / f"worker-{index}.log"))
            stack.callback(team[-1].end)
        _follow(team)


def tf_configs(workers: int) -> list[str]:
    """Return TF_CONFIG for each worker, on ports that are free now; empty for one alone."""
    if workers == 1:
        return [""]
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(workers)]
        for held in sockets:
            held.bind(("127.0.0.1", 0))
        hosts = ["{}:{}".format(*held.getsockname()) for held in sockets]
    return [
        json.dumps({"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}})
        for index in range(workers)
    ]


@dataclass(frozen=True, slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    log: Path
    voice: threading.Thread

    def end(self) -> None:
        """Stop the process if it still runs, once all it said is passed on."""
        self.process.kill()
        self.process.wait()
        self.voice.join()
        if self.process.stdin:
            self.process.stdin.close()


def _start(work: Path, own: Mapping[str, str], log: Path) -> _Worker:
    code = {"PYTHONPATH": str(Path(__file__).parents[3])}
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ, **code, **own}
    command = [sys.executable, "-m", "components.train_detector.worker", str(work)]
    with log.open("wb") as words:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, env=environment
        )
    voice = threading.Thread(target=_pass_on, args=(process.stdout,))
    voice.start()
    return _Worker(process, log, voice)


def _pass_on(lines: IO[bytes]) -> None:
    with lines:
        for line in lines:
            print(line.decode(errors="replace"), end="", flush=True)


def _follow(team: Sequence[_Worker]) -> None:
    """Wait until the chief is done and the others have left; one that fails ends all."""
    deadline = math.inf
    while time.monotonic() < deadline:
        codes = [worker.process.poll() for worker in team]
        for code, worker in zip(codes, team, strict=True):
            if code:
                raise _complaint(code, worker.log)
        if not any(code is None for code in codes):
            return
        if codes[0] == 0:
            deadline = min(deadline, time.monotonic() + LEAVE_WITHIN_S)
        time.sleep(LOOK_EVERY_S)


def _complaint(code: int, log: Path) -> Exception:
    words = log.read_text(errors="replace").strip()
    if code == REFUSED and words:
        return Refusal(words.splitlines()[-1])
    return TrainingError(f"{log.stem} ended with {code}:\n{words[-LAST_WORDS:]}")
