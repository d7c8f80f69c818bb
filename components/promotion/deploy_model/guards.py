"""Rollback rules of a canary: errors, disagreement, boxes a picture and scores. Pure functions.

Latency is judged apart (`latency`): a busy node makes any model slow.

A better model is expected to differ from the champion, most of all where frames have
drifted: there a champion with low recall is no reference. So the number of boxes and the mean
score of the candidate must lie near those of the champion, or near those of the candidate on
its golden pictures, on which it was judged. But it must find most boxes of the champion.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from components.promotion.deploy_model.compare import DetectionAgreement
from components.shared.contracts.policy import RolloutPolicy
from components.shared.traffic.request_metrics import RequestMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Measurements of candidate and champion at one observation.

    Attributes:
        candidate: Request metrics of the candidate since the step began.
        champion: Request metrics of the champion since the rollout began.
        candidate_recent: Request metrics of the candidate since latencies are compared.
        champion_recent: Request metrics of the champion in the same time.
        probes: Number of probes of the candidate since the step began.
        failed: Number of these that it did not answer.
        latencies_ms: Latencies of the newest probes of the candidate.
        champion_ms: Latencies of the newest probes of the champion, with the same pictures.
        live: Comparison of both models on the newest live pictures.
        golden: Expected answers to the golden pictures of the candidate: number of pictures,
            number of boxes, and sum of scores.
    """

    candidate: RequestMetrics = field(default_factory=RequestMetrics)
    champion: RequestMetrics = field(default_factory=RequestMetrics)
    candidate_recent: RequestMetrics = field(default_factory=RequestMetrics)
    champion_recent: RequestMetrics = field(default_factory=RequestMetrics)
    probes: int = 0
    failed: int = 0
    latencies_ms: Sequence[float] = ()
    champion_ms: Sequence[float] = ()
    live: DetectionAgreement = field(default_factory=DetectionAgreement)
    golden: tuple[int, int, float] = (0, 0, 0.0)


def breaches(evidence: Evidence, policy: RolloutPolicy) -> Iterator[str]:
    """Yield the rollback rules that the answers of a candidate break.

    Args:
        evidence: The evidence.
        policy: The limits.
    """
    yield from _disagreement(evidence.live, policy)
    yield from _boxes(evidence, policy)


def errors(evidence: Evidence, policy: RolloutPolicy) -> Iterator[str]:
    """Yield the rollback rules that the failures of a candidate break.

    Args:
        evidence: The evidence.
        policy: The limits.
    """
    failed = evidence.candidate.errors + evidence.failed
    probes = evidence.candidate.requests + evidence.probes
    if failed > policy.max_failures and failed > policy.max_error_rate * probes:
        yield (
            f"{failed} of {probes} requests failed, expected at most {policy.max_error_rate:.0%}"
        )


def _disagreement(live: DetectionAgreement, policy: RolloutPolicy) -> Iterator[str]:
    if live.champion >= policy.min_boxes and live.lost > policy.max_disagreement:
        yield (
            f"{live.lost:.0%} of the champion's {live.champion} boxes missing on "
            f"{live.pictures} live images, expected at most {policy.max_disagreement:.0%}"
        )


def _boxes(evidence: Evidence, policy: RolloutPolicy) -> Iterator[str]:
    live, candidate, champion = evidence.live, evidence.candidate, evidence.champion
    yield from _beyond(
        "live images",
        _BoxCounts(live.pictures, live.candidate, live.candidate_scores),
        _BoxCounts(live.pictures, live.champion, live.champion_scores),
        _BoxCounts(*evidence.golden),
        policy,
        chance=0,
    )
    if min(candidate.requests, champion.requests) >= policy.min_requests:
        yield from _beyond(
            "client images",
            _BoxCounts(candidate.requests, candidate.boxes, candidate.scores),
            _BoxCounts(champion.requests, champion.boxes, champion.scores),
            _BoxCounts(*evidence.golden),
            policy,
            # Other pictures than the champion's, and their boxes vary about as much as their mean.
            chance=policy.max_deviations / math.sqrt(candidate.requests),
        )


class _BoxCounts(NamedTuple):
    pictures: int
    boxes: int
    scores: float

    @property
    def each(self) -> float:
        """Boxes a picture."""
        return self.boxes / self.pictures

    @property
    def mean(self) -> float:
        """Mean score of the boxes."""
        return self.scores / self.boxes


def _beyond(
    where: str,
    candidate: _BoxCounts,
    champion: _BoxCounts,
    golden: _BoxCounts,
    policy: RolloutPolicy,
    *,
    chance: float,
) -> Iterator[str]:
    """Compare boxes a picture and their mean score; `chance` widens the limits by a share."""
    if max(candidate.boxes, champion.boxes) < policy.min_boxes:
        return
    usual = [champion.each, golden.each if golden.boxes else champion.each]
    keeps = 1 - policy.max_box_change
    low, high = min(usual) * max(0.0, keeps - chance), max(usual) * (1 / keeps + chance)
    if not low <= candidate.each <= high:
        yield (
            f"{candidate.each:.2f} boxes an image on {candidate.pictures} {where}, expected "
            f"{low:.2f} to {high:.2f}"
        )
    means = [found.mean for found in (champion, golden) if found.boxes]
    if candidate.boxes >= policy.min_boxes and means:
        most = policy.max_score_change * (1 + chance)
        low, high = min(means) - most, max(means) + most
        if not low <= candidate.mean <= high:
            yield (
                f"mean score {candidate.mean:.2f} of {candidate.boxes} boxes on {where}, "
                f"expected {low:.2f} to {high:.2f}"
            )
