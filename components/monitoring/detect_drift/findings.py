"""Find repeated, blank and missing frames of a window, which descriptor distances do not show."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from components.monitoring.detect_drift.observe import Observed, ObservedFrame, Reference
from components.shared.contracts.policy import DriftPolicy
from components.shared.contracts.report import FrameFinding, ReferenceFrame
from components.shared.vision.phash import near_duplicates


def find(reference: Reference, current: Observed, policy: DriftPolicy) -> tuple[FrameFinding, ...]:
    """Return the repeated, blank and missing frames of a window; nothing for a snapshot.

    Args:
        reference: Held-out frames of the champion.
        current: A window of served frames.
        policy: The share of frames from which a finding counts.
    """
    if current.model is None:
        return ()
    blank = {frame.sha256 for frame in current.frames if _is_blank(frame, policy)}
    pictures = [frame for frame in current.frames if frame.sha256 not in blank]
    details = (
        ("repeated", _sent_again(current, policy)),
        ("repeated", _alike(pictures, policy)),
        ("blank", _blank(reference, current, len(blank), policy)),
        ("cameras_gone", _silent(reference, current, policy)),
        ("pictures_gone", _missing(current)),
    )
    return tuple(
        FrameFinding.model_validate({"kind": kind, "detail": detail})
        for kind, detail in details
        if detail
    )


def _sent_again(current: Observed, policy: DriftPolicy) -> str:
    """Describe predictions about one and the same file."""
    if current.answers < policy.min_frames:
        return ""
    if current.served > (1 - policy.max_repeated_share) * current.answers:
        return ""
    frames = "one and the same frame" if current.served == 1 else f"{current.served:,} frames"
    return f"{current.answers:,} predictions are of {frames}"


def _alike(frames: Sequence[ObservedFrame], policy: DriftPolicy) -> str:
    """Describe different files that show the same picture."""
    again = _repeated(frames, policy.max_repeated_bits)
    counts = Counter(frame.camera for frame in frames)
    stuck = [
        camera
        for camera, count in Counter(frame.camera for frame in again).items()
        if counts[camera] >= policy.min_repeated and count > policy.max_stuck_share * counts[camera]
    ]
    of_all = len(frames) >= policy.min_repeated and (
        len(again) > policy.max_repeated_share * len(frames)
    )
    if not (of_all or stuck):
        return ""
    where = f" (most of camera {', '.join(sorted(stuck)[:3])})" if stuck else ""
    return (
        f"{len(again):,} of {len(frames):,} frames show the same image as another frame{where}: a "
        "camera is frozen, or one image is sent repeatedly"
    )


def _repeated(frames: Sequence[ObservedFrame], max_bits: int) -> list[ObservedFrame]:
    """Return the frames that look like an earlier one."""
    hashes = np.frombuffer(b"".join(frame.hash for frame in frames), np.uint8).reshape(-1, 32)
    later = {second for _, second in near_duplicates(hashes, max_bits)}
    return [frames[place] for place in sorted(later)]


def _blank(reference: Reference, current: Observed, blank: int, policy: DriftPolicy) -> str:
    usual = sum(_is_blank(frame, policy) for frame in reference.frames)
    allowed = policy.max_blank_share + usual / max(1, len(reference.frames))
    if blank <= allowed * len(current.frames):
        return ""
    cameras = {frame.camera for frame in current.frames if _is_blank(frame, policy)}
    return (
        f"{blank:,} of {len(current.frames):,} frames are uniformly black, grey or white "
        f"({_named(cameras)})"
    )


def _silent(reference: Reference, current: Observed, policy: DriftPolicy) -> str:
    """Describe cameras without frames, if there are enough frames to expect some of each."""
    shares = Counter(frame.camera for frame in reference.frames)
    seen = {frame.camera for frame in current.frames}
    if not seen & shares.keys():  # other cameras, or other names
        return ""
    frames, whole = len(current.frames), max(1, len(reference.frames))
    silent = {
        camera
        for camera, count in shares.items()
        if camera not in seen and frames * count >= policy.min_expected * whole
    }
    if len(silent) <= policy.max_silent_share * len(shares):
        return ""
    return (
        f"{len(silent):,} of {len(shares):,} cameras of the reference sent no frame "
        f"({_named(silent)})"
    )


def _missing(current: Observed) -> str:
    if not current.gone:
        return ""
    was = "1 frame is" if current.gone == 1 else f"{current.gone:,} frames are"
    return f"{was} left out: the images are deleted"


def _is_blank(frame: ObservedFrame | ReferenceFrame, policy: DriftPolicy) -> bool:
    return frame.descriptors["contrast"] < policy.max_blank_contrast  # noise at night has more


def _named(cameras: set[str], most: int = 3) -> str:
    return ", ".join(_names(sorted(cameras), most))


def _names(cameras: Sequence[str], most: int) -> Iterator[str]:
    yield from cameras[:most]
    if len(cameras) > most:
        yield f"and {len(cameras) - most:,} more"
