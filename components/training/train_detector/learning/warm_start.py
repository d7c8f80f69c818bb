"""Warm start (fine-tuning): copy the champion's weights, matched class by class."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from components.shared.contracts.model import TrainedInfo, TrainedLayout
from components.shared.network.restore import restore


def load_matching_weights(model: keras.Model, classes: Sequence[str], champion: Path) -> None:
    """Copy weights from a trained model of the same size.

    Classes are matched by name; one that the champion never saw starts untrained.

    Args:
        model: The network to warm.
        classes: Its classes.
        champion: Laid out as `contracts.model.TrainedLayout`.
    """
    known = TrainedInfo.read(TrainedLayout(champion).info).classes
    for weight, champion_weight in zip(model.weights, restore(champion).weights, strict=True):
        value = np.asarray(champion_weight)
        if weight.path.startswith("logits"):
            value = match_classes(np.asarray(weight), value, classes, known)
        weight.assign(value)


def match_classes(
    new: NDArray[np.float32],
    old: NDArray[np.float32],
    classes: Sequence[str],
    known: Sequence[str],
) -> NDArray[np.float32]:
    """Return our values, replaced by theirs for every common class; the last axis is classes.

    Args:
        new: Values of the new network, `[..., classes]`.
        old: Values of the trained network, `[..., known]`.
        classes: Class names of the new network.
        known: Class names of the trained network.

    >>> match_classes(np.zeros(2), np.array([1, 2]), ["bus", "car"], ["car", "van"])
    array([0., 1.])
    """
    merged = new.copy()
    for place, name in enumerate(classes):
        if name in known:
            merged[..., place] = old[..., known.index(name)]
    return merged
