"""A training that was cut short ends as one that was not."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.shared.contracts.stopping import Stopped
from components.shared.network.network import build_network
from components.shared.store.objects import Objects
from components.training.train_detector.data.input_pipeline import InputPipeline
from components.training.train_detector.data.sampler import BatchSampler
from components.training.train_detector.data.training_images import TrainingImage
from components.training.train_detector.data.validation_images import ValidationImage
from components.training.train_detector.learning.checkpoint import Checkpoints
from components.training.train_detector.learning.checkpointing import CheckpointCoordinator
from components.training.train_detector.learning.fit import TrainingSetup, fit
from components.training.train_detector.learning.trainer import Trainer
from components.training.train_detector.learning.worker_group import WorkerGroup
from components.training.train_detector.plan.settings import TrainingSettings
from tests.support.worker_threads import Told

SIZE = 64
BOX, CAR = np.array([[20, 10, 44, 30]], np.float32), np.zeros(1, np.int32)
SCHEDULE = BatchSampler(8, 4, epochs=4, seed=0)
SETTINGS = TrainingSettings(epochs=4, batch_size=4, workers=1)


def noise(count):
    rng = np.random.default_rng(count)
    return [rng.integers(0, 90, (SIZE, SIZE, 3)).astype(np.uint8) for _ in range(count)]


GALLERY = [TrainingImage(Image.fromarray(one), (SIZE, SIZE), BOX, CAR) for one in noise(8)]
SETUP = TrainingSetup(
    train=InputPipeline(GALLERY, (SIZE, SIZE), SCHEDULE, SETTINGS),
    validation=[ValidationImage(one, BOX, CAR) for one in noise(3)],
    classes=1,
    schedule=SCHEDULE,
    settings=SETTINGS,
    peak=0.003,
)


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    def train(name, every_s=60.0, told=None):
        """Train in a folder, beginning where an earlier one was cut short."""
        keras.utils.set_random_seed(0)
        strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
        trainer = Trainer(build_network("pico", 1, SIZE, SIZE), strategy, 10.0, SETTINGS)
        checkpoints = Checkpoints(Objects((root / name).as_uri()), "checkpoints", 0)
        coordinator = CheckpointCoordinator(
            checkpoints, WorkerGroup(strategy, 0), every_s, told or threading.Event()
        )
        return fit(trainer, SETUP, coordinator)

    root = tmp_path_factory.mktemp("trainings")
    return train


@pytest.fixture(scope="module")
def undisturbed(train):
    return train("undisturbed")


def bytes_of(outcome):
    return [value.tobytes() for value in outcome.weights]


@pytest.mark.parametrize("steps", [3, 6])
def test_stopped_between_any_two_steps_it_ends_byte_for_byte_the_same(steps, train, undisturbed):
    with pytest.raises(Stopped):
        train(f"stopped-{steps}", every_s=0, told=Told(after=steps))
    again = train(f"stopped-{steps}")

    assert bytes_of(again) == bytes_of(undisturbed)
    assert again.history == undisturbed.history
