"""Paired bootstrap confidence intervals of the mAP difference, candidate minus champion.

Both models are scored on the same resamples of the images. The library's own comparison counts
an image once that was drawn twice, and its intervals are a quarter too narrow for it; so the
resampling is done here.
"""

import math
from collections.abc import Iterable
from statistics import NormalDist

import numpy as np

from components.promotion.evaluate_detector.coco import CocoTruth, Measured
from components.promotion.evaluate_detector.matches import Floats, average_precision, matches_of
from components.promotion.evaluate_detector.slices import Slice
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import Duel, Interval, Role

SEED = 0
MAX_SLICES = 40  # compared, if the policy does not need more
OVERLAPS = 10  # IoU thresholds of mAP50-95; the first is that of mAP50


class PairedBootstrap:
    """Compares candidates with the champion on the same bootstrap resamples of the images.

    Each resample draws as many images as there are, with replacement, from a fixed seed.

    Args:
        truth: The test images with their true boxes.
        policy: Number of resamples and confidence.
        candidates: Number of candidates, which share the risk of a false promotion.
    """

    def __init__(self, truth: CocoTruth, policy: PromotionPolicy, candidates: int) -> None:
        images, random = len(truth.images), np.random.default_rng(SEED)
        even = np.full(images, 1 / images)
        self._weights = random.multinomial(images, even, policy.resamples).astype(np.float64)
        self._truth, self._confidence = truth, policy.confidence(candidates)
        self._policy = policy
        self._known: dict[tuple[int, Slice | None], Floats] = {}

    def compare(self, role: Role, candidate: Measured, champion: Measured) -> Duel:
        """Return the mAP difference of a candidate to the champion, with confidence intervals.

        Args:
            role: Role of the candidate.
            candidate: Metrics of the candidate.
            champion: Metrics of the champion; both objects must live as long as this one.

        Source:
            Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13: the
            percentile interval, here of a paired difference. Hesterberg, "What Teachers
            Should Know About the Bootstrap", The American Statistician 69, 2015: its
            expansion where there are few images.
        """
        slices: dict[str, dict[str, Interval]] = {}
        for part in _lower(self._truth.slices, candidate, champion, self._policy):
            gain = candidate.slices[part.kind][part.name] - champion.slices[part.kind][part.name]
            interval = self._interval(gain, candidate, champion, part)
            slices.setdefault(part.kind, {})[part.name] = interval
        gain = candidate.coco["map"] - champion.coco["map"]
        return Duel(
            role=role,
            map=self._interval(gain, candidate, champion, None),
            slices=slices,
            confidence=self._confidence,
            resamples=len(self._weights),
        )

    def _interval(
        self, gain: float, candidate: Measured, champion: Measured, part: Slice | None
    ) -> Interval:
        differences = self._resampled(candidate, part) - self._resampled(champion, part)
        known = differences[~np.isnan(differences)]
        if not known.size:
            return Interval(gain=gain, low=-1, high=1)
        cut = _share((1 - self._confidence) / 2, self._weights.shape[1])
        low, high = np.quantile(known, [cut, 1 - cut])
        return Interval(gain=gain, low=float(low), high=float(high))

    def _resampled(self, measured: Measured, part: Slice | None) -> Floats:
        """Return `[R]`, the mAP on each resample, computed once for each model and slice."""
        key = id(measured), part
        if key not in self._known:
            evaluation = self._truth.compared(measured.found, part)
            overlaps = 1 if part else OVERLAPS
            matches = matches_of(evaluation, len(self._truth.images), overlaps)
            self._known[key] = average_precision(matches, self._weights)
        return self._known[key]


def _share(share: float, images: int) -> float:
    """Return the share of resamples to cut off at each end, corrected for few images."""
    freedom = max(images - 1, 1)
    normal = -NormalDist().inv_cdf(share)
    student = normal + (normal**3 + normal) / (4 * freedom)  # the first terms of its expansion
    return NormalDist().cdf(-student * math.sqrt(images / freedom))


def _lower(
    slices: Iterable[Slice], candidate: Measured, champion: Measured, policy: PromotionPolicy
) -> list[Slice]:
    """Return slices in which a candidate is lower: all that the policy judges, and the largest.

    Each takes 0.1 s or more to compare, so of hundreds only the largest few are added.
    """
    falls = {
        part: champion.slices[part.kind][part.name] - candidate.slices[part.kind][part.name]
        for part in slices
    }
    lower = [part for part, fall in falls.items() if fall > 0]
    largest = sorted(lower, key=lambda part: -part.boxes)[:MAX_SLICES]
    return [part for part in lower if part in largest or policy.falls_far(falls[part], part.boxes)]
