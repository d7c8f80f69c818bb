"""What the champion knows of a class goes to the class of that name, wherever it stands."""

import numpy as np

from components.training.train_detector.learning.warm_start import match_classes


def test_the_same_classes_take_everything_over():
    ours, theirs = np.zeros((3, 2)), np.ones((3, 2))

    assert np.array_equal(match_classes(ours, theirs, ["car", "bus"], ["car", "bus"]), theirs)


def test_a_class_keeps_its_weights_when_it_moves():
    ours, theirs = np.zeros((1, 3)), np.array([[1.0, 2.0]])

    merged = match_classes(ours, theirs, ["bus", "bike", "car"], ["car", "bus"])

    assert merged.tolist() == [[2, 0, 1]]


def test_the_same_number_of_other_classes_is_not_confused():
    ours, theirs = np.zeros((1, 2)), np.array([[1.0, 2.0]])

    assert match_classes(ours, theirs, ["car", "van"], ["bus", "car"]).tolist() == [[2, 0]]
