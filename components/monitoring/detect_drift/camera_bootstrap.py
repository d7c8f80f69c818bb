"""Drift thresholds: Kolmogorov-Smirnov distance, and its cluster bootstrap over cameras.

Frames of one camera are alike and cameras are few, so cameras are resampled, not frames.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def distance(first: Floats, second: Floats) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples, 0 to 1.

    Args:
        first: `[N]` numbers, N at least 1.
        second: `[M]` numbers, M at least 1.

    >>> distance(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0, 6.0]))
    0.5
    """
    first, second = np.sort(first), np.sort(second)
    places = np.concatenate([first, second])
    below = np.searchsorted(first, places, side="right") / len(first)
    gap = below - np.searchsorted(second, places, side="right") / len(second)
    return float(np.abs(gap).max())


def critical_distance(first: int, second: int, alpha: float) -> float:
    """Return the distance that independent samples exceed with a probability of at most alpha.

    Args:
        first: Size of one sample.
        second: Size of the other.
        alpha: Probability, 0 to 1.

    Source:
        Smirnov, "Table for estimating the goodness of fit of empirical distributions",
        Annals of Mathematical Statistics 19, 1948: the asymptotic distribution.

    >>> round(critical_distance(100, 100, 0.05), 3)
    0.192
    """
    return float(np.sqrt(-np.log(alpha / 2) / 2 * (first + second) / (first * second)))


class CameraBootstrap:
    """Cluster bootstrap of the Kolmogorov-Smirnov distance under no drift.

    Frames of one camera are alike, so a camera is resampled, not a frame: each resample has as
    many cameras as the current frames, each replaced by any camera of the reference, and as many
    frames of each, drawn with replacement.

    Args:
        reference: The camera of each reference frame, `[N]`.
        current: The camera of each frame to be compared, `[M]`.
        draws: Number of resamples.
        seed: Seed of the random generator.
    """

    def __init__(
        self, reference: Sequence[str], current: Sequence[str], *, draws: int, seed: int = 0
    ) -> None:
        random = np.random.default_rng(seed)
        names, cameras = np.unique(np.asarray(reference), return_inverse=True)
        by_camera = [np.flatnonzero(cameras == place) for place in range(len(names))]
        actors = np.unique(np.asarray(current), return_inverse=True)[1]
        # `[draws, N]`: share of each reference frame in one resample, less that in the other
        self._excess = _shares(by_camera, cameras, draws, random)
        self._excess -= _shares(by_camera, actors, draws, random)

    def reaches(self, values: Floats, alpha: float) -> float:
        """Return the bootstrap threshold: without drift it is exceeded with probability alpha.

        Args:
            values: Descriptor of each reference frame, `[N]`.
            alpha: Probability, 0 to 1; below 1 / draws the largest resample counts.
        """
        order = np.argsort(values, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)
        gaps = np.cumsum(self._excess[:, order], axis=1)[:, ends]
        return float(np.quantile(np.abs(gaps).max(axis=1), 1 - alpha, method="higher"))


def _shares(
    by_camera: Sequence[NDArray[np.intp]],
    actors: NDArray[np.intp],
    draws: int,
    random: np.random.Generator,
) -> Floats:
    """Resample cameras and their frames; return the share of each frame, `[draws, N]`."""
    frames, sizes = np.concatenate(by_camera), np.array([len(camera) for camera in by_camera])
    starts = np.cumsum(sizes) - sizes
    played = random.integers(len(sizes), size=(draws, actors.max() + 1))[:, actors]
    chosen = starts[played] + (random.random(played.shape) * sizes[played]).astype(np.intp)
    places = frames[chosen] + np.arange(draws)[:, None] * len(frames)
    counts = np.bincount(places.ravel(), minlength=draws * len(frames))
    return counts.reshape(draws, len(frames)) / len(actors)
