"""Batches come in an order and with looks that seed and epoch decide, and nothing else."""

import hashlib
import subprocess
import sys
from itertools import islice
from time import sleep

import numpy as np
import pytest
from PIL import Image

from components.shared.contracts.errors import UserError
from components.training.train_detector.data.color_jitter import NUMBERS
from components.training.train_detector.data.input_pipeline import InputPipeline
from components.training.train_detector.data.sampler import BatchSampler
from components.training.train_detector.data.training_images import TrainingImage
from components.training.train_detector.plan.settings import TrainingSettings

SIZE = (64, 48)


def gallery(count=24):
    rng = np.random.default_rng(0)
    box, car = np.array([[4, 4, 40, 20]], np.float32), np.zeros(1, np.int32)
    pixels = rng.integers(0, 255, (count, SIZE[1], SIZE[0], 3)).astype(np.uint8)
    return [TrainingImage(Image.fromarray(one), SIZE, box, car) for one in pixels]


def stream(pictures=None, worker=0, workers=1, readers=2, **chosen):
    pictures = pictures or gallery()
    schedule = BatchSampler(len(pictures), 4, 10, seed=5, worker=worker, workers=workers)
    return InputPipeline(pictures, SIZE, schedule, TrainingSettings(**chosen), readers)


def digest(batches):
    return hashlib.sha256(b"".join(part.tobytes() for batch in batches for part in batch)).digest()


def test_an_epoch_is_the_same_whatever_came_before():
    used = stream()
    list(islice(used.epoch(1), 2))
    list(used.epoch(2))

    assert digest(used.epoch(3)) == digest(stream().epoch(3))
    assert digest(used.epoch(3)) == digest(stream().epoch(3))


@pytest.mark.parametrize("readers", [1, 4])
def test_any_number_of_readers_give_the_same_bytes(readers):
    assert digest(stream(readers=readers).epoch(2)) == digest(stream().epoch(2))


def test_an_epoch_goes_on_from_any_step():
    whole = list(stream().epoch(2))

    assert len(whole) == 6
    assert digest(stream().epoch(2, first=4)) == digest(whole[4:])
    assert list(stream().epoch(2, first=6)) == []


class Slow(list):
    """Pictures that take a while."""

    reading = 0  # that are asked for and not yet there

    def __getitem__(self, index):
        Slow.reading += 1
        sleep(0.1)
        Slow.reading -= 1
        return super().__getitem__(index)


def main():
    """Make an epoch, and leave in the middle of another one, whose pictures are slow."""
    print(digest(stream().epoch(2)).hex())
    batches = stream(Slow(gallery())).epoch(3)
    next(batches)
    print(Slow.reading)
    raise SystemExit(7)


@pytest.fixture(scope="module")
def other():
    code = (
        "import atexit\n"
        "atexit.register(lambda: print(module.Slow.reading, flush=True))\n"  # the last to be called
        "import tests.components.training.train_detector.data.test_input_pipeline as module\n"
        "module.main()"
    )
    run = [sys.executable, "-c", code]
    return subprocess.run(run, capture_output=True, text=True, timeout=120)


def test_another_process_makes_the_same_bytes(other):
    assert other.stdout.split()[0] == digest(stream().epoch(2)).hex()


def test_a_process_that_leaves_in_the_middle_lets_its_readers_finish(other):
    before, after = map(int, other.stdout.split()[1:])

    assert before > 0
    assert after == 0
    assert other.returncode == 7, other.stderr


def test_epochs_differ():
    assert digest(stream().epoch(2)) != digest(stream().epoch(3))


def test_workers_share_each_batch_of_one_that_is_alone():
    alone = next(stream().epoch(1)).images
    shares = [next(stream(worker=worker, workers=2).epoch(1)).images for worker in (0, 1)]

    assert np.array_equal(alone[0::2], shares[0])
    assert np.array_equal(alone[1::2], shares[1])


def test_batches_are_bytes_and_places():
    batch = next(stream().epoch(0))

    assert batch.images.shape == (4, SIZE[1], SIZE[0], 3)
    assert [part.dtype for part in batch] == [np.uint8, np.float32, np.float32, np.int32]
    assert batch.jitters.shape == (4, NUMBERS)
    assert batch.boxes.shape == (*batch.classes.shape, 4)


def test_the_last_epochs_see_whole_pictures():
    never = stream(mosaic=0.0)

    assert digest(stream(mosaic=1.0).epoch(7)) != digest(never.epoch(7))
    assert digest(stream(mosaic=1.0).epoch(8)) == digest(never.epoch(8))


class Torn(list):
    """Pictures of which one cannot be had."""

    def __getitem__(self, index):
        if index == 11:
            raise UserError("image 11 is torn")
        return super().__getitem__(index)


def test_a_bad_picture_is_named_when_its_turn_comes(capfd):
    turn = [11 in row for row in BatchSampler(24, 4, 10, seed=5).indices(0)].index(True)
    batches = stream(Torn(gallery()), mosaic=0.0).epoch(0)

    assert len(list(islice(batches, turn))) == turn
    with pytest.raises(UserError, match="image 11 is torn"):
        next(batches)
    assert "Traceback" not in capfd.readouterr().err
