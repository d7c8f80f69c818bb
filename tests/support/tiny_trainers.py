"""Learners of a network of one layer a scale; run, it takes steps in a fresh process."""

import sys

import keras
import numpy as np
import tensorflow as tf

from components.shared.network.layers import computing_in, conv
from components.shared.network.network import Size, head
from components.training.train_detector.data.color_jitter import ColorJitter
from components.training.train_detector.data.sampler import Batch
from components.training.train_detector.learning.trainer import Trainer
from components.training.train_detector.plan.settings import TrainingSettings

SIDE = 64
RATE = 0.003


def batch(seed, images=4, most=3):
    """Return noise in which boxes are marked that mean nothing."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, SIDE / 2, (images, most, 2))
    boxes = np.concatenate([low, low + rng.uniform(8, SIDE / 2, low.shape)], axis=-1)
    pictures = rng.integers(0, 256, (images, SIDE, SIDE, 3), dtype=np.uint8)
    classes = rng.integers(-1, 2, (images, most), dtype=np.int32)
    jitters = np.array([ColorJitter.sample(rng).numbers for _ in pictures], np.float32)
    return Batch(pictures, jitters, boxes.astype(np.float32), classes)


def network():
    """Return the least that has the detector's head."""
    images = keras.Input((SIDE, SIDE, 3))
    fine = conv(images, 16, 3, 8, name="fine")
    middle = conv(fine, 16, 3, 2, name="middle")
    coarse = conv(middle, 16, 3, 2, name="coarse")
    return keras.Model(images, head([fine, middle, coarse], 2, Size(width=1 / 16, depth=1)))


def trainer(seed=0, frozen=False, **chosen):
    """Return a trainer of two classes; frozen, its normalisation learns no statistics."""
    settings = TrainingSettings(**chosen)
    keras.utils.set_random_seed(seed)
    with computing_in(settings.precision):
        model = network()
    if frozen:
        for layer in model.layers:
            layer.trainable = not layer.name.endswith("_norm")
    return Trainer(model, tf.distribute.OneDeviceStrategy("/cpu:0"), 20.0, settings)


def steps(student, first, last):
    """Take some steps of a course that is always the same; return the losses of each."""
    return [student.step(batch(number), RATE, number)[0] for number in range(first, last)]


def state(student):
    """Return what the next step depends on, as it is now."""
    return {name: np.asarray(value) for name, value in student.state().items()}


def differences(one, other):
    """Return the names of what differs between two states, in as little as a bit."""
    assert one.keys() == other.keys()
    return [name for name in one if one[name].tobytes() != other[name].tobytes()]


def main(begin, end, first, last):
    """Go on from a state in one file, and leave the state after some steps in another."""
    student = trainer(seed=1)
    student.load(dict(np.load(begin)))
    steps(student, int(first), int(last))
    np.savez(end, **state(student))


if __name__ == "__main__":
    main(*sys.argv[1:])
