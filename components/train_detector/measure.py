"""What a network finds in the validation split, by the suppression that serving uses."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.contracts.model import BOXES, SCORES, Postprocessing
from components.train_detector.precision import Found, Truth, map50
from components.train_detector.samples import Source
from components.vision.letterbox import network_input
from components.vision.suppression import suppress

CANDIDATES = Postprocessing(score_threshold=0.01, candidates=400)
BATCH = 8

Serve = Callable[[NDArray[np.float32]], dict[str, Any]]


def measure(serve: Serve, samples: Source) -> float:
    """Return mAP50 of a served function on samples, from 0 to 1, in pixels of the input."""
    found: list[Found] = []
    for start in range(0, len(samples), BATCH):
        images = [samples[at].image for at in range(start, min(start + BATCH, len(samples)))]
        said = serve(network_input(np.stack(images)))
        for boxes, scores in zip(said[BOXES].numpy(), said[SCORES].numpy(), strict=True):
            found.append(Found(*suppress(boxes, scores, CANDIDATES)))
    truth = [samples[at] for at in range(len(samples))]
    return map50(found, [Truth(sample.boxes, sample.classes) for sample in truth])
