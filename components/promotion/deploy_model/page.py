"""HTML page of a rollout: traffic shares, latencies, failures and the outcome."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from markupsafe import Markup

from components.promotion.deploy_model.guards import Evidence
from components.promotion.deploy_model.latency import slowest
from components.promotion.deploy_model.rollout import Rollout
from components.promotion.deploy_model.trial import Look
from components.shared.pages.chart import line_chart
from components.shared.pages.fragments import Card, cards, columns, sentence, table, text
from components.shared.pages.page import Section, write_page

HEADINGS = (
    "share", "until, s", "answers to clients", "failed", "answers to us", "failed ", "p95, ms",
    "champion's p95, ms", "boxes", "champion's boxes",
)  # fmt: skip


def write_rollout_page(rollout: Rollout, path: str | Path) -> None:
    """Write the page of a rollout, however it ended.

    Args:
        rollout: What was done.
        path: The file.
    """
    version = rollout.version
    sections = [Section("How it went", list(_told(rollout)))] if rollout.looks else []
    lead = sentence(rollout.sentence)
    write_page(path, f"Rollout of {version.name}", sections, lead)


def _told(rollout: Rollout) -> Iterator[Markup]:
    looks, last = rollout.looks, rollout.looks[-1]
    met = sum(look.seen.candidate.requests for look in _ends(looks))
    failed = sum(look.seen.candidate.errors + look.seen.failed for look in _ends(looks))
    yield cards(
        Card("largest share", f"{max(look.percent for look in looks)} %"),
        Card("lasted", f"{last.at:.0f} s"),
        Card("clients' requests", met, "that the candidate was given"),
        Card("failed at it", failed, "our own requests included", "bad" if failed else ""),
    )
    if len(looks) > 1:
        failures = [_failures(looks)] if failed else []
        yield columns(_shares(looks, rollout.failed), _latencies(looks), *failures)
    yield table(HEADINGS, [_row(look) for look in _ends(looks)])
    yield text(f"{rollout.note} Boxes are those of both models on the newest live pictures.")


def _ends(looks: Sequence[Look]) -> list[Look]:
    """Return the last look of each step."""
    return list({look.percent: look for look in looks}.values())


def _shares(looks: Sequence[Look], failed: bool) -> Markup:
    # A look sees what a share did that was in force since the look before.
    ends = [0.0, *(look.at for look in looks)]
    seconds = [at for span in pairwise(ends) for at in span]
    shares = [float(look.percent) for look in looks for _ in range(2)]
    seconds.append(ends[-1])
    shares.append(0.0 if failed else 100.0)
    return line_chart(
        seconds, {"candidate": shares, "champion": [100 - share for share in shares]},
        title="Who answers", x_label="seconds", y_label="% of the requests", y_range=(-3, 103),
    )  # fmt: skip


def _failures(looks: Sequence[Look]) -> Markup:
    clients = [float(look.seen.candidate.errors) for look in looks]
    ours = [float(look.seen.failed) for look in looks]
    return line_chart(
        [look.at for look in looks], {"clients' requests": clients, "our own": ours},
        title="Failed at the candidate, in each step", x_label="seconds", y_label="requests",
    )  # fmt: skip


def _latencies(looks: Sequence[Look]) -> Markup:
    sides = {
        "candidate": [_p95(look.seen.latencies_ms) for look in looks],
        "champion, same pictures": [_p95(look.seen.champion_ms) for look in looks],
    }
    return line_chart(
        [look.at for look in looks], sides,
        title="Answers to us, 95th percentile", x_label="seconds", y_label="ms",
    )  # fmt: skip


def _p95(latencies_ms: Sequence[float]) -> float:
    return slowest(latencies_ms) if latencies_ms else math.nan


def _row(look: Look) -> Sequence[str | float]:
    seen: Evidence = look.seen
    return (
        f"{look.percent} %", f"{look.at:.1f}", seen.candidate.requests, seen.candidate.errors,
        seen.asked, seen.failed, _cell(seen.latencies_ms), _cell(seen.champion_ms),
        seen.live.candidate, seen.live.champion,
    )  # fmt: skip


def _cell(latencies_ms: Sequence[float]) -> str:
    return f"{slowest(latencies_ms):.0f}" if latencies_ms else ""
