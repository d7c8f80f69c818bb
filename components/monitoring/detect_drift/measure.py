"""Measure drift: compare the descriptor distributions of a window with the reference frames.

A window counts as drifted only if its distance exceeds what chance and few cameras explain.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.monitoring.detect_drift.camera_bootstrap import (
    CameraBootstrap,
    critical_distance,
    distance,
)
from components.monitoring.detect_drift.observe import Observed, ObservedFrame, Reference
from components.shared.contracts.change_text import change_text
from components.shared.contracts.policy import DriftPolicy
from components.shared.contracts.report import DriftReport, ReferenceFrame

NAMED = 3  # descriptors in the sentence

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Reference and current frames to compare.

    Attributes:
        reference: Frames of the reference.
        current: Frames of the window or snapshot.
        remark: Sentence on the frames that are left out; empty if none is.
        refusal: Why nothing is compared; empty if something is.
    """

    reference: tuple[ReferenceFrame, ...]
    current: tuple[ObservedFrame, ...]
    remark: str = ""
    refusal: str = ""


def measure(reference: Reference, current: Observed, policy: DriftPolicy) -> DriftReport:
    """Compare frames with the champion's reference, and return the drift report.

    Args:
        reference: Held-out frames of the champion, or why there are none.
        current: A window of served frames, or a snapshot.
        policy: Minimum numbers of frames, and the limits of the distances.
    """
    pair = comparable(reference, current, policy)
    report = DriftReport(
        dataset=current.dataset,
        model=reference.model,
        window=current.id,
        frames=len(current.frames),
        reference_frames=len(reference.frames),
        distances={},
        thresholds={},
        drifted=(),
        enough=not pair.refusal,
        reason=pair.refusal,
    )
    return report.model_copy(update=_findings(pair, current.names, policy) if report.enough else {})


def comparable(reference: Reference, current: Observed, policy: DriftPolicy) -> Pair:
    """Choose the frames to compare: with the same descriptors, of cameras on both sides.

    A camera that is not in the reference is compared with the others only if the reference
    has enough cameras to tell a new view from a change.

    Args:
        reference: Held-out frames of the champion, or why there are none.
        current: A window of served frames, or a snapshot.
        policy: Minimum numbers of frames and cameras.
    """
    refusal = _refusal(reference, current, policy)
    if refusal:
        return Pair((), (), refusal=refusal)
    cameras = {frame.camera for frame in reference.frames}
    both = cameras & {frame.camera for frame in current.frames}
    before = tuple(frame for frame in reference.frames if frame.camera in both)
    after = tuple(frame for frame in current.frames if frame.camera in both)
    strange = len(current.frames) - len(after)
    if min(len(before), len(after)) >= policy.min_frames:
        remark = f"; {strange:,} frames are left out: their cameras are not in the reference"
        return Pair(before, after, remark if strange else "")
    if len(cameras) >= policy.min_cameras:
        return Pair(reference.frames, current.frames)
    return Pair((), (), refusal=(
        f"{strange:,} of {_frames(current.frames)} are of cameras that are not in the reference, "
        f"whose {len(cameras)} cameras are too few to tell a new view from drift, "
        f"expected {policy.min_cameras} or more"
    ))  # fmt: skip


def column(frames: Iterable[ReferenceFrame | ObservedFrame], name: str) -> Floats:
    """Return one descriptor of frames, `[N]`.

    Args:
        frames: N frames.
        name: Name of the descriptor.
    """
    return np.array([frame.descriptors[name] for frame in frames], np.float64)


def _refusal(reference: Reference, current: Observed, policy: DriftPolicy) -> str:
    if reference.absent:
        return f"nothing to compare with: {reference.absent}"
    if current.model and current.model != reference.model:
        return (
            f"the frames were served by model {current.model[:12]}, but the champion is "
            f"{str(reference.model)[:12]} now: try again"
        )
    for frames, where in ((current.frames, "served"), (reference.frames, "in the reference")):
        if len(frames) < policy.min_frames:
            return f"{_frames(frames)} {where}, expected {policy.min_frames} or more"
    return ""


def _findings(pair: Pair, names: Sequence[str], policy: DriftPolicy) -> dict[str, Any]:
    alpha = policy.alpha / len(names)
    cameras = [[frame.camera for frame in side] for side in (pair.reference, pair.current)]
    chance, floor = CameraBootstrap(*cameras, draws=policy.resamples), _floor(pair, alpha, policy)
    distances, thresholds = {}, {}
    for name in names:
        before, after = column(pair.reference, name), column(pair.current, name)
        distances[name] = distance(before, after)
        thresholds[name] = max(floor, chance.reaches(before, 1 - policy.quantile))
    by_excess = sorted(names, key=lambda name: thresholds[name] - distances[name])
    drifted = [name for name in by_excess if distances[name] > thresholds[name]]
    return {
        "distances": distances,
        "thresholds": thresholds,
        "drifted": tuple(drifted),
        "changed": bool(drifted) and len(drifted) >= policy.min_drifted,
        "reason": _reason(pair, distances, thresholds, by_excess, len(drifted), policy),
    }


def _floor(pair: Pair, alpha: float, policy: DriftPolicy) -> float:
    # A few cameras on a few days do not show all weathers, and resampling them cannot show it:
    # the fewer cameras, the higher the minimum threshold.
    cameras = len({frame.camera for frame in pair.reference})
    least = 1 - (1 - policy.min_distance) * cameras / (cameras + policy.few_cameras)
    return max(least, critical_distance(len(pair.reference), len(pair.current), alpha))


def _reason(
    pair: Pair,
    distances: dict[str, float],
    thresholds: dict[str, float],
    by_excess: Sequence[str],
    drifted: int,
    policy: DriftPolicy,
) -> str:
    named = by_excess[: min(NAMED, drifted) or 1]
    moves = ", ".join(_move(pair, name, distances[name], thresholds[name]) for name in named)
    short = f", expected at least {policy.min_drifted} for a drift"
    return "".join([
        f"{drifted} of {len(distances)} descriptors drifted",
        short if 0 < drifted < policy.min_drifted else "",
        ": " if drifted else "; nearest to its threshold: ",
        moves,
        f", and {drifted - NAMED} more" if drifted > NAMED else "",
        pair.remark,
    ])  # fmt: skip


def _move(pair: Pair, name: str, far: float, reached: float) -> str:
    before, after = (
        float(np.median(column(side, name))) for side in (pair.reference, pair.current)
    )
    move = change_text(before, after)
    return f"{name.replace('_', ' ')} median {move} (KS {far:.2f}, threshold {reached:.2f})"


def _frames(frames: Collection[object]) -> str:
    return f"{len(frames):,} frames"
