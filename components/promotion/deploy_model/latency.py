"""Compare the latency of a candidate with the champion's in the same seconds.

High latency alone never rolls a model back: a busy node makes any model slow. So if a
candidate is slow, a second measurement follows, with enough new answers of both servers.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from components.promotion.deploy_model.guards import Evidence
from components.shared.contracts.policy import RolloutPolicy

QUANTILE = 0.95
MIN_PROBES = 5  # before their latency is judged
RECENT = 60  # newest probes of each server whose latency counts, or more if the policy needs it


def slow(seen: Evidence, policy: RolloutPolicy) -> str | None:
    """Return why a candidate is too slow, in a sentence, or None.

    Args:
        seen: The evidence.
        policy: The limits.
    """
    return next(chain(_probes(seen, policy), _clients(seen, policy)), None)


def window(policy: RolloutPolicy) -> int:
    """Return the number of newest probes of each server whose latency counts.

    >>> window(RolloutPolicy(min_latency_answers=100))
    100
    """
    return max(RECENT, policy.min_latency_answers)


def enough(seen: Evidence, policy: RolloutPolicy, *, beside: bool) -> bool:
    """Return whether there are enough probes for a second measurement.

    Args:
        seen: The evidence since the first measurement.
        policy: The minimum number of probes.
        beside: Whether the champion must have enough as well.
    """
    sides = [seen.latencies_ms, *([seen.champion_ms] if beside else [])]
    return min(map(len, sides)) >= policy.min_latency_answers


def _probes(seen: Evidence, policy: RolloutPolicy) -> Iterator[str]:
    if len(seen.latencies_ms) < MIN_PROBES:
        return
    ours = slowest(seen.latencies_ms)
    if ours > policy.max_latency_ms:
        yield _too_slow(ours, policy.max_latency_ms, "at most")
    elif len(seen.champion_ms) >= MIN_PROBES:
        theirs = slowest(seen.champion_ms)
        if ours > max(policy.max_latency_ratio * theirs, policy.min_latency_ms):
            yield _too_slow(ours, theirs, f"at most {policy.max_latency_ratio:g} times")


def _clients(seen: Evidence, policy: RolloutPolicy) -> Iterator[str]:
    candidate, champion = seen.candidate_lately, seen.champion_lately
    if candidate.requests < policy.min_requests:
        return
    surely, _ = candidate.latency_range_ms(QUANTILE)  # its bounds are coarse
    _, theirs = champion.latency_range_ms(QUANTILE)
    times, compared = policy.max_latency_ratio, champion.requests >= policy.min_requests
    if surely >= policy.max_latency_ms:
        yield f"clients: {_too_slow(surely, policy.max_latency_ms, 'at most')}"
    elif compared and surely >= max(times * theirs, policy.min_latency_ms):
        yield f"clients: {_too_slow(surely, theirs, f'at most {times:g} times')}"


def slowest(latencies_ms: Sequence[float]) -> float:
    """Return the 95th percentile, rounded down: one outlier in 16 does not count.

    >>> slowest([10.0] * 15 + [900.0])
    10.0
    """
    ordered = sorted(latencies_ms)
    return ordered[int(QUANTILE * (len(ordered) - 1))]


def _too_slow(ours: float, limit: float, words: str) -> str:
    return f"latency {ours:.0f} ms (95th percentile), expected {words} {limit:.0f} ms"
