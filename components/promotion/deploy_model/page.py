"""HTML page of a rollout: traffic shares, latencies, failures and the outcome."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from markupsafe import Markup

from components.promotion.deploy_model.canary import Observation
from components.promotion.deploy_model.guards import Evidence
from components.promotion.deploy_model.latency import slowest
from components.promotion.deploy_model.rollout import Rollout
from components.shared.pages.chart import line_chart
from components.shared.pages.fragments import Card, cards, columns, sentence, table, text
from components.shared.pages.page import Section, write_page

HEADINGS = (
    "share", "until, s", "client requests", "failed requests", "probes", "failed probes",
    "p95, ms", "boxes", "champion p95, ms", "champion boxes",
)  # fmt: skip
OF_CHAMPION = 2  # columns, the last ones


def write_rollout_page(rollout: Rollout, path: str | Path) -> None:
    """Write the page of a rollout.

    Args:
        rollout: The record of the rollout.
        path: The HTML file.
    """
    version = rollout.version
    sections = [Section("Canary steps", list(_contents(rollout)))] if rollout.observations else []
    lead = sentence(rollout.sentence)
    write_page(path, f"Rollout of {version.name}", sections, lead)


def _contents(rollout: Rollout) -> Iterator[Markup]:
    observations, last = rollout.observations, rollout.observations[-1]
    met = sum(observation.evidence.candidate.requests for observation in _ends(observations))
    failed = sum(
        observation.evidence.candidate.errors + observation.evidence.failed
        for observation in _ends(observations)
    )
    yield cards(
        Card("largest share", f"{max(observation.percent for observation in observations)} %"),
        Card("duration", f"{last.at:.0f} s"),
        Card("client requests", met, "to the candidate"),
        Card("failed", failed, "client requests and probes", "bad" if failed else ""),
    )
    if len(observations) > 1:
        failures = [_failures(observations)] if failed else []
        yield columns(_shares(rollout), _latencies(rollout), *failures)
    shown = len(HEADINGS) - (0 if rollout.champion else OF_CHAMPION)
    rows = [_row(observation)[:shown] for observation in _ends(observations)]
    yield table(HEADINGS[:shown], rows)
    note = f"{rollout.note} The boxes are those of both models on the newest live images."
    yield text(note if rollout.champion else "There was no champion to compare with.")


def _ends(observations: Sequence[Observation]) -> list[Observation]:
    """Return the last observation of each step."""
    return list({observation.percent: observation for observation in observations}.values())


def _shares(rollout: Rollout) -> Markup:
    # An observation covers the share that was in force since the observation before.
    observations = rollout.observations
    ends = [0.0, *(observation.at for observation in observations)]
    seconds = [at for span in pairwise(ends) for at in span]
    shares = [float(observation.percent) for observation in observations for _ in range(2)]
    seconds.append(ends[-1])
    shares.append(0.0 if rollout.failed else 100.0)
    sides = {"candidate": shares}
    if rollout.champion:
        sides["champion"] = [100 - share for share in shares]
    return line_chart(
        seconds, sides,
        title="Traffic split", x_label="seconds", y_label="% of the requests", y_range=(-3, 103),
    )  # fmt: skip


def _failures(observations: Sequence[Observation]) -> Markup:
    clients = [float(observation.evidence.candidate.errors) for observation in observations]
    probes = [float(observation.evidence.failed) for observation in observations]
    return line_chart(
        [observation.at for observation in observations],
        {"client requests": clients, "probes": probes},
        title="Failed requests of the candidate, by step", x_label="seconds", y_label="requests",
    )  # fmt: skip


def _latencies(rollout: Rollout) -> Markup:
    observations = rollout.observations
    latencies = {
        "candidate": [_p95(observation.evidence.latencies_ms) for observation in observations]
    }
    if rollout.champion:
        latencies["champion, same images"] = [
            _p95(observation.evidence.champion_ms) for observation in observations
        ]
    return line_chart(
        [observation.at for observation in observations], latencies,
        title="Latency of probes, 95th percentile", x_label="seconds", y_label="ms",
    )  # fmt: skip


def _p95(latencies_ms: Sequence[float]) -> float:
    return slowest(latencies_ms) if latencies_ms else math.nan


def _row(observation: Observation) -> Sequence[str | float]:
    evidence: Evidence = observation.evidence
    return (
        f"{observation.percent} %", round(observation.at),
        evidence.candidate.requests, evidence.candidate.errors,
        evidence.probes, evidence.failed, _cell(evidence.latencies_ms), evidence.live.candidate,
        _cell(evidence.champion_ms), evidence.live.champion,
    )  # fmt: skip


def _cell(latencies_ms: Sequence[float]) -> str | int:
    return round(slowest(latencies_ms)) if latencies_ms else ""
