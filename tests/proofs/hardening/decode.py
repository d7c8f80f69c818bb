"""Decodes the files of a folder one by one and prints what came of it, as JSON.

`python -m tests.proofs.hardening.decode FOLDER`: its own memory is what is measured.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from components.shared.vision.jpeg import JpegError, decode_jpeg, encode_jpeg


def main(folder: Path) -> None:
    """Decode, and print counts, the slowest one and the memory that all took."""
    outcomes: Counter[str] = Counter()
    slowest_ms, before = 0.0, _peak_mb()
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        began = time.thread_time()
        try:
            decode_jpeg(content)
            outcomes["decoded"] += 1
        except JpegError as error:
            outcomes[error.reason] += 1
        except Exception as error:
            outcomes[f"raised {type(error).__name__}"] += 1
        slowest_ms = max(slowest_ms, (time.thread_time() - began) * 1e3)
    taken = {"slowest_ms": slowest_ms, "memory_mb": _peak_mb() - before}
    print(json.dumps({"outcomes": outcomes, **taken, "honest_ms": honest_ms()}))


def honest_ms() -> float:
    """Return the CPU of an honest picture of twelve megapixels, the best of three."""
    grey = Image.effect_noise((4000, 3000), 60)
    content = encode_jpeg(np.asarray(grey.convert("RGB")))
    taken = []
    for _ in range(3):
        began = time.thread_time()
        decode_jpeg(content)
        taken.append((time.thread_time() - began) * 1e3)
    return min(taken)


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
