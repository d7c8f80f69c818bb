"""Write and read a worker's checkpoints: variables and training state, with a digest.

Each worker writes its own, because the statistics of batch normalisation differ between
workers; those of one number belong together. Writing has no effect on the training.
"""

import hashlib
from collections.abc import Mapping
from io import BytesIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from components.shared.contracts.progress import log_progress
from components.shared.contracts.record import Record
from components.shared.store.objects import Objects
from components.training.train_detector.learning.state import BestWeights, TrainingState
from components.training.train_detector.plan.history import Epoch

DIGEST_BYTES = 32
ABOUT, LOSSES, BEST, STATE = "about", "losses", "best/", "state/"

Arrays = dict[str, NDArray[np.generic]]
Variables = Mapping[str, ArrayLike]


class _About(Record):
    """The parts of a checkpoint that are no arrays."""

    epoch: int
    step: int
    best_epoch: int
    map50: float | None
    history: tuple[Epoch, ...]


def encode(state: TrainingState, variables: Variables) -> memoryview:
    """Return training state and variables as bytes, followed by their digest.

    Args:
        state: The place.
        variables: Each becomes an array only when it is written: no second copy of all of them
            is ever made.
    """
    outcome = state.outcome
    about = _About(
        epoch=state.epoch,
        step=state.step,
        best_epoch=outcome.best_epoch,
        map50=outcome.map50,
        history=tuple(outcome.history),
    )
    arrays: dict[str, ArrayLike] = {
        ABOUT: np.frombuffer(about.model_dump_json().encode(), np.uint8),
        LOSSES: np.array(state.losses, np.float32).reshape(-1, 3),
    }
    arrays |= {f"{BEST}{number}": value for number, value in enumerate(outcome.weights)}
    arrays |= {f"{STATE}{name}": value for name, value in variables.items()}
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with buffer.getbuffer() as written:
        digest = hashlib.sha256(written).digest()
    buffer.write(digest)
    return buffer.getbuffer()


def decode(content: bytes | memoryview) -> tuple[TrainingState, Arrays] | None:
    """Return the decoded checkpoint, or None if its digest is wrong."""
    body, digest = content[:-DIGEST_BYTES], content[-DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        return None
    with np.load(BytesIO(body), allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    about = _About.model_validate_json(arrays[ABOUT].tobytes())
    best = [arrays[f"{BEST}{n}"] for n in range(sum(name.startswith(BEST) for name in arrays))]
    outcome = BestWeights(best, about.best_epoch, about.map50, list(about.history))
    state = TrainingState(about.epoch, about.step, list(arrays[LOSSES]), outcome)
    variables = {
        name.removeprefix(STATE): value for name, value in arrays.items() if name.startswith(STATE)
    }
    return state, variables


class Checkpoints:
    """Checkpoints of one worker, numbered by the steps taken before.

    Args:
        objects: Where they are kept.
        folder: The key of the training's checkpoints.
        worker: Our number.
    """

    def __init__(self, objects: Objects, folder: str, worker: int) -> None:
        self.objects, self.folder = objects, f"{folder}/{worker}"

    def numbers(self) -> list[int]:
        """Return the numbers of all checkpoints, damaged ones too, the newest last."""
        keys = self.objects.keys(self.folder)
        return sorted(int(key.rsplit("/", 1)[1].removesuffix(".npz")) for key in keys)

    def newest(self) -> int:
        """Return the newest number, or 0 if there is none."""
        return max(self.numbers(), default=0)

    def write(self, number: int, content: bytes | memoryview) -> None:
        """Write an encoded checkpoint atomically.

        Args:
            number: Steps taken before.
            content: Result of `encode`.
        """
        self.objects.put(self._key(number), content)

    def read(self, number: int) -> tuple[TrainingState, Arrays] | None:
        """Return a checkpoint, or None and a log line if it is damaged or absent."""
        try:
            read = decode(self.objects.get(self._key(number)))
        except FileNotFoundError:
            log_progress(
                f"there is no checkpoint of step {number} in {self.objects.uri(self.folder)}"
            )
            return None
        if read is None:
            log_progress(f"the checkpoint {self.objects.uri(self._key(number))} is damaged")
        return read

    def keep_newest(self, count: int) -> None:
        """Delete all but the newest."""
        self._forget(self.numbers()[:-count])

    def forget_after(self, last: int) -> None:
        """Delete all newer ones."""
        self._forget([number for number in self.numbers() if number > last])

    def _forget(self, numbers: list[int]) -> None:
        for number in numbers:
            self.objects.delete(self._key(number))

    def _key(self, number: int) -> str:
        return f"{self.folder}/{number:09d}.npz"
