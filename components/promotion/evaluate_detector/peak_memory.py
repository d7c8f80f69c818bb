"""Measure the peak memory of a package in a process of its own.

A package that crashes ends only that process.
"""

import os
import subprocess
import sys
from pathlib import Path

from components.shared.contracts.errors import ApplicationError, ExitCode
from components.shared.contracts.model import PackageError, PackageLayout

SECONDS = 120.0  # to open a package and to answer its golden images


def measure_peak_memory(folder: str | Path) -> float:
    """Return the peak memory of a process that opens a package and answers its golden images.

    The process has one thread; Python and ONNX Runtime are included.

    Args:
        folder: A `PackageLayout`.

    Returns:
        Memory in MB (10^6 bytes).

    Raises:
        PackageError: If the process fails, or takes more than two minutes.
    """
    code = {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [
        sys.executable,
        "-m",
        "components.promotion.evaluate_detector.peak_memory",
        str(folder),
    ]
    try:
        done = subprocess.run(
            command, env={**os.environ, **code}, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as cause:
        raise PackageError(f"it did not load and answer within {SECONDS:.0f} s") from cause
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"its process ends with {done.returncode}"]
        raise PackageError(words[-1])
    return float(done.stdout)


def main(folder: str) -> None:
    """Open a package, answer its golden images, and print the peak memory in MB."""
    from components.shared.inference.detector import Detector
    from components.shared.inference.memory import peak_memory_mb

    detector, layout = Detector.open(folder), PackageLayout(folder)
    for golden in layout.golden_answers():
        detector.detect_jpeg((layout.root / golden.file).read_bytes())
    print(peak_memory_mb())


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except ApplicationError as error:
        print(error, file=sys.stderr)
        sys.exit(ExitCode.of(error))
