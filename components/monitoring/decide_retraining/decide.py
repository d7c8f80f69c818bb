"""Retraining rule: decide from a drift report, and record the decision in the registry.

A decision not to retrain is recorded too, with the same facts.
"""

from typing import Any

from components.shared.contracts.errors import UserError
from components.shared.contracts.report import Decision, DriftReport
from components.shared.contracts.snapshot import WindowInfo
from components.shared.store.registry import Registry


def decide(drift: DriftReport) -> Decision:
    """Decide whether to retrain: on drift, but not if the frames are repeated or blank.

    Args:
        drift: Drift report of the window.
    """
    retrain = drift.enough and drift.changed and drift.usable
    if retrain:
        finding = "drift"
    elif drift.suspicious:  # new labels of these frames would teach nothing
        finding = "faulty frames"
    else:
        finding = "no drift" if drift.enough else "no decision possible yet"
    details = f"{drift.details}; " if drift.findings else ""
    return Decision(retrain=retrain, reason=f"{finding}: {details}{drift.reason}")


def watermark(window: WindowInfo, drift: DriftReport) -> int:
    """Return where the next window begins; a window with too few frames is counted again.

    Args:
        window: The window.
        drift: Drift report of the window.
    """
    return window.until if drift.enough else window.since


def facts(window: WindowInfo, drift: DriftReport) -> dict[str, Any]:
    """Return the numbers that the decision rests on, as JSON.

    Args:
        window: The window.
        drift: Drift report of the window.
    """
    return {
        "window": window.model_dump(mode="json"),
        "drift": drift.model_dump(mode="json", exclude={"reason", "dataset", "window"}),
    }


def record(
    registry: Registry, dataset: str, window: WindowInfo, drift: DriftReport
) -> tuple[Decision, str]:
    """Decide about a window, record it, and return the recorded decision and its page.

    Args:
        registry: Keeps the first decision about each window.
        dataset: Name of the dataset.
        window: The window.
        drift: Drift report of the window.

    Raises:
        UserError: If the report or the dataset is not the window's.
    """
    if (drift.window, dataset) != (window.id, window.dataset):
        raise UserError(
            f"the window is {window.id[:12]} of {window.dataset}, but the drift report is of "
            f"window {drift.window[:12]} of {dataset}, expected the same"
        )
    wish = decide(drift)
    stands = registry.decide(
        window.id,
        dataset,
        watermark(window, drift),
        wish.retrain,
        wish.reason,
        facts(window, drift),
    )
    return stands, _page(stands, window, drift)


def summary(decision: Decision, drift: DriftReport) -> str:
    """Return the decision in a few words.

    Args:
        decision: The decision.
        drift: Drift report of the window.
    """
    found = f"{len(drift.drifted)} of {len(drift.distances)} descriptors drifted"
    if decision.retrain:
        return f"retrain: {found} in {drift.frames:,} frames"
    if drift.suspicious:
        return f"no retraining: faulty frames, inspect them: {drift.findings[0].detail}"
    if not drift.enough:
        return f"no retraining: too little data, {drift.frames:,} frames"
    return f"no retraining: {found} in {drift.frames:,} frames"


def _page(decision: Decision, window: WindowInfo, drift: DriftReport) -> str:
    names = sorted(drift.distances, key=lambda name: drift.thresholds[name] - drift.distances[name])
    rows = [
        f"| {name.replace('_', ' ')} | {drift.distances[name]:.2f} | {drift.thresholds[name]:.2f} |"
        for name in names
    ]
    head = ["| descriptor | KS distance | threshold |", "|---|---|---|"]
    lines = [
        f"**retrain: {'yes' if decision.retrain else 'no'}**. {decision.reason}",
        "",
        f"Window {window.id[:12]} of {window.dataset}: {window.frames:,} frames, "
        f"predictions {window.since:,} to {window.until:,}.",
        "",
        *(head + rows if rows else []),
    ]
    return "\n".join(lines).rstrip() + "\n"
