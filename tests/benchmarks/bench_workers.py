"""Two workers of one thread against one process of two threads: the same images a step, real time.

All three processes live beside each other and take turns, so that what else the machine does
meets both sides. Only on an idle machine with two cores is the ratio worth anything; the load
stands in the row. Memory is that of the larger of the two workers.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median
from time import perf_counter

from components.training.train_detector.launchers.local import tf_configs
from components.training.train_detector.plan.settings import TrainingSettings
from components.training.train_detector.worker.environment import (
    ENVIRONMENT,
    import_tensorflow_slim,
)
from tests.benchmarks.table import Row, at_least

GLOBAL_BATCHES = (16, 32)
DEFAULT = TrainingSettings().gradient_precision
KINDS = (("float32", DEFAULT), ("bfloat16", DEFAULT), ("float32", "float32"))
STEPS, ROUNDS = 6, 7


def rows() -> Iterator[Row]:
    """Let both sides take turns."""
    for precision, gradient in KINDS:
        for images in GLOBAL_BATCHES:
            yield from compare(precision, gradient, images)


def compare(precision: str, gradient: str, images: int) -> Iterator[Row]:
    """Say by how much the two workers are quicker, and how large."""
    with ExitStack() as stack:
        alone = [stack.enter_context(Child("", 2, precision, gradient, images))]
        pair = [
            stack.enter_context(Child(config, 1, precision, gradient, images // 2))
            for config in tf_configs(2)
        ]
        for side in (alone, pair):
            turn(side)
        load = os.getloadavg()[0] - 2  # two of it are ours
        taken = [[turn(side) for side in (alone, pair)] for _ in range(ROUNDS)]
        size = max(child.peak_mb for child in pair)
    one, two = (median(side) for side in zip(*taken, strict=True))
    sent = "" if gradient == DEFAULT else f", gradients in {gradient}"
    what = f"two workers, {precision}{sent}, {images} images a step"
    rates = [f"{STEPS * images / seconds:.1f} images/s" for seconds in (two, one)]
    ratio = median(before / after for before, after in taken)
    against = f"one process {rates[1]}, others' load {max(load, 0):.0f}"
    yield at_least(f"{what}, real time", rates[0], against, ratio, 1.02)
    yield Row(f"{what}, most memory of one", f"{size:.0f} MB")


class Child:
    """A process that takes steps when it is told to.

    Args:
        tf_config: Where the others are, or empty.
        threads: For a step.
        precision: Of the network.
        gradient: Precision of what workers exchange.
        images: A step.
    """

    def __init__(
        self, tf_config: str, threads: int, precision: str, gradient: str, images: int
    ) -> None:
        """Start it."""
        self.peak_mb = 0.0
        told = [sys.executable, "-m", "tests.benchmarks.bench_workers"]
        self.process = subprocess.Popen(
            [*told, str(threads), precision, gradient, str(images)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**ENVIRONMENT, **os.environ, "TF_CONFIG": tf_config},
        )

    def __enter__(self) -> "Child":
        """Do nothing more."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()

    def go(self) -> None:
        """Let it take its steps."""
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def wait(self) -> None:
        """Return when it has."""
        said = self.process.stdout.readline()
        assert said, f"worker ended with {self.process.wait()}"
        self.peak_mb = float(said)


def turn(side: list[Child]) -> float:
    """Return the seconds until all of a side have taken their steps."""
    start = perf_counter()
    for child in side:
        child.go()
    for child in side:
        child.wait()
    return perf_counter() - start


def main(threads: str, precision: str, gradient: str, images: str) -> None:
    """Take steps for every line of standard input."""
    import_tensorflow_slim()
    from components.shared.inference.memory import peak_memory_mb
    from components.training.train_detector.worker.devices import strategy_for, use_threads
    from components.training.train_detector.worker.main import place
    from tests.benchmarks.bench_step import trainer_step

    use_threads(int(threads))
    index, workers = place(json.loads(os.environ["TF_CONFIG"] or "{}"))
    strategy = strategy_for(index, workers, "ring")
    step = trainer_step(precision, int(images), 1, strategy, gradient_precision=gradient)
    for _ in sys.stdin:
        for _ in range(STEPS):
            step()
        print(peak_memory_mb(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
