"""Kill trainings with SIGKILL again and again, and compare what they learn with an undisturbed one.

One process five times; then of two and of four workers the chief ten times and others ten
times. The gang must begin again each time, at most one checkpoint behind, and end with the
same losses. Then a torn checkpoint, and SIGTERM. `make prove-training` runs it first.
"""

import argparse
import os
import random
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.support.training_processes import Training, apart, losses

CLOSE = 1e-6
SETTINGS = {"image_size": 96, "checkpoint_s": 0, "blind": True}
IMAGES = 6  # that are learned from
STEPS_A_KILL = 5
LATER_S = 0.3  # at most, between a step that is seen and the kill
END_WITHIN_S = 3600.0


def main() -> int:
    """Run everything, print what was seen, and return 0 if all of it is as it should be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--kills", type=int, help="of each victim; otherwise 5 alone, 10 in gangs")
    parser.add_argument("--precision", default="float32", help="or bfloat16")
    chosen = parser.parse_args()
    good = True
    for workers in chosen.workers:
        kills = chosen.kills or (5 if workers == 1 else 10)
        with TemporaryDirectory() as folder:
            good &= Proof(Path(folder), workers, kills, chosen.precision).holds()
    print("all as it should be" if good else "NOT as it should be")
    return 0 if good else 1


class Proof:
    """Trainings of one number of workers, which differ only in what happens to them."""

    def __init__(self, folder: Path, workers: int, kills: int, precision: str) -> None:
        self.folder, self.workers, self.kills = folder, workers, kills
        self.random = random.Random(workers)
        batch = max(2, workers)
        epochs = 1 + (kills + 1) * STEPS_A_KILL // (IMAGES // batch)
        more = {"workers": workers, "batch_size": batch, "epochs": epochs}
        self.settings = {**SETTINGS, **more, "precision": precision}

    def holds(self) -> bool:
        """Disturb in every way."""
        undisturbed = self._start("undisturbed")
        undisturbed.end(END_WITHIN_S)
        good = self._killed("chief", [0], undisturbed)
        if self.workers > 1:
            good &= self._killed("others", list(range(1, self.workers)), undisturbed)
        return good & self._torn(undisturbed) & self._told(undisturbed)

    def _start(self, name: str) -> Training:
        return Training(self.folder / name, **self.settings)

    def _killed(self, name: str, victims: list[int], undisturbed: Training) -> bool:
        """Kill workers, each time a moment after a new checkpoint."""
        training, repeated = self._start(name), []
        for number in range(self.kills):
            seen = self._reached(training)
            training.until(lambda seen=seen: self._reached(training) > seen, END_WITHIN_S)
            time.sleep(self.random.uniform(0, LATER_S))
            victim = training.workers()[victims[number % len(victims)]]
            reached = self._reached(training)
            victim.kill()
            lives = number + 1
            training.until(lambda lives=lives: len(training.resumed()) == lives, END_WITHIN_S)
            repeated.append(reached - training.resumed()[-1])
        code = training.end(END_WITHIN_S)
        again = len(training.resumed())
        print(
            f"{self.workers} workers, {name} killed {self.kills} times: begun again {again} "
            f"times, at most {max(repeated)} checkpoints behind the one before the kill",
            flush=True,
        )
        return self._same(training, undisturbed, code) and max(repeated) <= 0

    def _reached(self, training: Training) -> int:
        """Return the newest checkpoint that every worker has, or 0."""
        return min(training.step(worker) for worker in range(self.workers))

    def _torn(self, undisturbed: Training) -> bool:
        """Kill all with the launcher, cut the newest checkpoint of one worker, start again."""
        training = self._start("torn")
        training.until(lambda: training.step() >= 3, END_WITHIN_S)
        _kill_all(training)
        *_, before, newest = training.checkpoints(self.workers - 1)
        os.truncate(newest, newest.stat().st_size // 2)
        again = self._start("torn")
        code = again.end(END_WITHIN_S)
        told = f"{newest.name} is damaged" in again.said() and again.resumed() == [int(before.stem)]
        print(f"{self.workers} workers, torn {newest.name}: went on after {again.resumed()}")
        return self._same(again, undisturbed, code) and told

    def _told(self, undisturbed: Training) -> bool:
        """Tell the launcher to stop, start it again, and then tell one worker alone."""
        training = self._start("told")
        training.until(lambda: training.step() >= 2, END_WITHIN_S)
        training.process.send_signal(signal.SIGTERM)
        code, left = training.end(END_WITHIN_S), training.step()
        again = self._start("told")
        again.until(lambda: again.step() > left, END_WITHIN_S)
        again.workers()[self.workers - 1].terminate()
        last = again.end(END_WITHIN_S)
        resumed = again.resumed()
        print(f"{self.workers} workers, SIGTERM: ended with {code} at {left}, went on at {resumed}")
        good = code == 128 + signal.SIGTERM and resumed[0] == left and len(resumed) == 2
        return self._same(again, undisturbed, last) and good

    def _same(self, training: Training, undisturbed: Training, code: int) -> bool:
        if code:
            print(training.said())
            return False
        loss, weights = apart(training.trained, undisturbed.trained)
        epochs = len(losses(training.trained))
        bytewise = "byte for byte equal" if weights == 0 else f"apart by at most {weights:.1e}"
        print(f"  {epochs} epochs: losses apart by at most {loss:.1e}, final weights {bytewise}")
        return loss <= CLOSE and (weights == 0 or self.workers > 1)


def _kill_all(training: Training) -> None:
    launcher = psutil.Process(training.process.pid)
    for process in (launcher, *launcher.children(recursive=True)):
        process.kill()
    training.process.wait()


if __name__ == "__main__":
    sys.exit(main())
