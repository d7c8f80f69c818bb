"""Run workers as local processes that share the cores, and restart them together."""

import json
import os
import signal
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

from components.shared.contracts.errors import RETRIED_FROM, ExitCode, UserError
from components.shared.contracts.progress import log_progress
from components.shared.contracts.stopping import Stopped, stop_event_on_sigterm
from components.shared.store.objects import Objects
from components.training.train_detector.launchers.outcome import TrainingError
from components.training.train_detector.plan.plan import Plan
from components.training.train_detector.worker.environment import ENVIRONMENT
from components.training.train_detector.worker.training_store import TrainingStore

LOOK_EVERY_S = 0.2
LEAVE_WITHIN_S = 30.0  # after the chief is done
NOTICE_WITHIN_S = 2.0  # for the others, when one is lost
STOP_WITHIN_S = 20.0  # to write a checkpoint; Kubernetes kills after half a minute
RESTARTS = 3  # without a new checkpoint
LAST_WORDS = 2000  # characters of a log that are worth showing


def launch_local(work: Path, plan: Plan, objects: Objects) -> None:
    """Run the workers of a plan as processes on this machine.

    When one is lost, all start again and go on from the last checkpoint. Each worker's standard
    input is a pipe that only we hold: when we end, by whatever signal, it closes and they
    end too; SIGTERM they get themselves, and the time to write a checkpoint. Their words
    beside progress go to `worker-<n>.log` beside the plan.

    Args:
        work: Laid out as `PlanLayout`.
        plan: The plan in it.
        objects: Holds the shards, and takes checkpoints and the outcome.

    Raises:
        UserError: If a worker refused what the user gave.
        TrainingError: If a worker ended otherwise, or workers are lost again and again.
        Stopped: If we were stopped by SIGTERM.
    """
    checkpoints = TrainingStore(objects, plan.fingerprint).checkpoints(0)
    before, lost = checkpoints.newest(), 0
    with stop_event_on_sigterm() as stop:
        while loss := _run(work, plan, objects, stop):
            if stop.is_set():  # SIGTERM reached the workers too, as a process group
                raise Stopped
            newest = checkpoints.newest()
            before, lost = newest, 1 if newest > before else lost + 1
            if lost > RESTARTS:
                raise TrainingError(f"{loss}\n{lost} times without a new checkpoint")
            log_progress(f"{loss}; all workers restart")


def _run(work: Path, plan: Plan, objects: Objects, stop: threading.Event) -> str | None:
    """Run all workers once; return None when they are done, or how one was lost.

    Raises:
        Stopped: If we were stopped by SIGTERM; they had time to write a checkpoint.
    """
    with ExitStack() as stack:
        team = []
        for index, tf_config in enumerate(tf_configs(plan.settings.workers)):
            environment = {"TF_CONFIG": tf_config, "OBJECT_STORE_URL": objects.url}
            team.append(_start(work, environment, work / f"worker-{index}.log"))
            stack.callback(team[-1].end)
        while not stop.is_set():
            codes = _codes(team)
            if codes[0] == 0:
                _wait(team[1:], LEAVE_WITHIN_S)
                return None
            if any(codes):
                return _loss(team, codes)
            time.sleep(LOOK_EVERY_S)
        for worker in team:
            worker.process.terminate()
        _wait(team, STOP_WITHIN_S)
        raise Stopped


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
    printer: threading.Thread

    def end(self) -> None:
        """Stop the process if it still runs, once all it said is passed on."""
        self.process.kill()
        self.process.wait()
        self.printer.join()
        if self.process.stdin:
            self.process.stdin.close()


def _start(work: Path, own: Mapping[str, str], log: Path) -> _Worker:
    code = {"PYTHONPATH": str(Path(__file__).parents[4])}
    environment = {**ENVIRONMENT, **os.environ, **code, **own}
    command = [sys.executable, "-m", "components.training.train_detector.worker.main", str(work)]
    with log.open("ab") as words:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, env=environment
        )
    printer = threading.Thread(target=_print_lines, args=(process.stdout,))
    printer.start()
    return _Worker(process, log, printer)


def _print_lines(lines: IO[bytes]) -> None:
    with lines:
        for line in lines:
            print(line.decode(errors="replace"), end="", flush=True)


def _loss(team: Sequence[_Worker], first: Sequence[int | None]) -> str:
    """Return how a worker was lost, once the others have left; raise what is final.

    Args:
        team: All of them.
        first: The exit codes that were seen first.
    """
    _wait(team, NOTICE_WITHIN_S)
    ended = [(code, worker) for code, worker in zip(_codes(team), team, strict=True) if code]
    for code, worker in ended:
        if is_final(code):
            raise _complaint(code, worker.log)
    # Whoever was forsaken only says that another one was lost.
    seen = [(code, worker) for code, worker in zip(first, team, strict=True) if code]
    known = sorted([*seen, *ended], key=lambda one: one[0] == ExitCode.RESTART)
    return _ending(*known[0])


def is_final(code: int) -> bool:
    """Return whether a restart cannot help after an exit code, negative for a signal.

    >>> [is_final(code) for code in (0, 1, 2, 127, 128, 137, 143, -9)]
    [False, True, True, True, False, False, False, False]
    """
    return 0 < code < RETRIED_FROM


def _ending(code: int, worker: _Worker) -> str:
    if code < 0:
        return f"{worker.log.stem} was ended by {signal.Signals(-code).name}"
    if code == ExitCode.STOPPED:
        return f"{worker.log.stem} received a stop signal"
    last_line = _read_log(worker.log).splitlines()[-1:]
    return ": ".join([f"{worker.log.stem} ended with {code}", *last_line])


def _codes(team: Sequence[_Worker]) -> list[int | None]:
    return [worker.process.poll() for worker in team]


def _wait(team: Sequence[_Worker], within_s: float) -> None:
    """Wait until all have ended, but not for ever."""
    deadline = time.monotonic() + within_s
    while None in _codes(team) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)


def _complaint(code: int, log: Path) -> Exception:
    words = _read_log(log)
    if code == ExitCode.REFUSED and words:
        return UserError(words.splitlines()[-1])
    return TrainingError(f"{log.stem} ended with {code}:\n{words}")


def _read_log(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-LAST_WORDS:]
