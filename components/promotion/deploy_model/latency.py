"""Compare the latency of a candidate with the champion's in the same seconds.

High latency alone never rolls a model back: a busy node makes any model slow. So if a
candidate is slow, a second measurement follows, with enough new answers of both servers.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from components.promotion.deploy_model.guards import Evidence
from components.shared.contracts.policy import RolloutPolicy

QUANTILE = 0.95


def slow(evidence: Evidence, policy: RolloutPolicy) -> str | None:
    """Return why a candidate is too slow, in a sentence, or None.

    Args:
        evidence: The evidence.
        policy: The limits.
    """
    return next(chain(_probes(evidence, policy), _clients(evidence, policy)), None)


def window(policy: RolloutPolicy) -> int:
    """Return the number of newest probes of each server whose latency counts.

    >>> window(RolloutPolicy(min_latency_answers=100))
    100
    """
    return max(policy.max_latency_probes, policy.min_latency_answers)


def enough(evidence: Evidence, policy: RolloutPolicy, *, with_champion: bool) -> bool:
    """Return whether there are enough probes for a second measurement.

    Args:
        evidence: The evidence since the first measurement.
        policy: The minimum number of probes.
        with_champion: Whether the champion must have enough as well.
    """
    servers = [evidence.latencies_ms, *([evidence.champion_ms] if with_champion else [])]
    return min(map(len, servers)) >= policy.min_latency_answers


def _probes(evidence: Evidence, policy: RolloutPolicy) -> Iterator[str]:
    if len(evidence.latencies_ms) < policy.min_latency_probes:
        return
    candidate_ms = slowest(evidence.latencies_ms)
    if candidate_ms > policy.max_latency_ms:
        yield _too_slow(candidate_ms, policy.max_latency_ms, "at most")
    elif len(evidence.champion_ms) >= policy.min_latency_probes:
        champion_ms = slowest(evidence.champion_ms)
        if candidate_ms > max(policy.max_latency_ratio * champion_ms, policy.min_latency_ms):
            yield _too_slow(
                candidate_ms, champion_ms, f"at most {policy.max_latency_ratio:g} times"
            )


def _clients(evidence: Evidence, policy: RolloutPolicy) -> Iterator[str]:
    candidate, champion = evidence.candidate_recent, evidence.champion_recent
    if candidate.requests < policy.min_requests:
        return
    surely, _ = candidate.latency_range_ms(QUANTILE)  # its bounds are coarse
    _, champion_ms = champion.latency_range_ms(QUANTILE)
    times, compared = policy.max_latency_ratio, champion.requests >= policy.min_requests
    if surely >= policy.max_latency_ms:
        yield f"clients: {_too_slow(surely, policy.max_latency_ms, 'at most')}"
    elif compared and surely >= max(times * champion_ms, policy.min_latency_ms):
        yield f"clients: {_too_slow(surely, champion_ms, f'at most {times:g} times')}"


def slowest(latencies_ms: Sequence[float]) -> float:
    """Return the 95th percentile, rounded down: one outlier in 16 does not count.

    >>> slowest([10.0] * 15 + [900.0])
    10.0
    """
    ordered = sorted(latencies_ms)
    return ordered[int(QUANTILE * (len(ordered) - 1))]


def _too_slow(candidate_ms: float, limit: float, words: str) -> str:
    return f"latency {candidate_ms:.0f} ms (95th percentile), expected {words} {limit:.0f} ms"
