"""Scenarios of pictures: damaged ones, and ones that claim much and hold little."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from tests.proofs.hardening.place import Place
from tests.proofs.table import Check, equal, holds, stated
from tests.support.jpegs import bombs, mutated, saved

MUTATED, BOMBS = 6_000, 500
MAX_SHARE, MAX_MB = 0.5, 64.0  # CPU of one file, memory of them all
WITHIN_S = 900


def mutated_pictures(place: Place) -> Iterator[Check]:
    """Each damaged file is decoded or refused by name."""
    random = Random(0)
    whole = [saved(), saved(progressive=True), saved(quality=30), saved(exif=b"Exif\0\0MM\0*\0")]
    files = (mutated(random.choice(whole), random) for _ in range(MUTATED))
    yield from _checks("damaged pictures", place.folder / "mutated", files, MUTATED)


def picture_bombs(place: Place) -> Iterator[Check]:
    """Each bomb is refused before it costs much."""
    files = itertools.islice(bombs(Random(0)), BOMBS)
    yield from _checks("bombs", place.folder / "bombs", files, BOMBS)


def _checks(what: str, folder: Path, files: Iterable[bytes], count: int) -> Iterator[Check]:
    seen = decode(folder, files)
    outcomes = seen["outcomes"]
    yield equal(f"{what} with an outcome", sum(outcomes.values()), count)
    yield equal(f"{what} that raised", [name for name in outcomes if "raised" in name], [])
    yield stated(f"{what}, outcomes", str(outcomes))
    slowest, memory = seen["slowest_ms"], seen["memory_mb"]
    share = slowest / seen["honest_ms"]
    figure = f"{slowest:.0f} ms, {share:.2f} of an honest picture of 12 megapixels"
    yield holds(f"{what}: CPU of the slowest", figure, f"<= {MAX_SHARE:g}", share <= MAX_SHARE)
    yield holds(f"{what}: memory, MB", f"{memory:.0f}", f"<= {MAX_MB:g}", memory <= MAX_MB)


def decode(folder: Path, files: Iterable[bytes]) -> dict:
    """Let a process of its own decode files."""
    folder.mkdir()
    for number, content in enumerate(files):
        (folder / f"{number:05}.jpg").write_bytes(content)
    command = [sys.executable, "-m", "tests.proofs.hardening.decode", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WITHIN_S)
    return json.loads(done.stdout)
