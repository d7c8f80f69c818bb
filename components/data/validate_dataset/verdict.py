"""Decide pass, warn or fail from findings by the policy."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from components.data.validate_dataset.check import Finding
from components.shared.contracts.policy import ValidationPolicy

TOO_SMALL = ("too_few_images", "nothing_to_learn")  # whatever else is mended

Word = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class ValidationVerdict:
    """Whether a snapshot may be used for training, and the reason."""

    word: Word
    reason: str


def weight(reason: str, policy: ValidationPolicy) -> Word:
    """Return the weight of a reason: fail, warn or note.

    Args:
        reason: Reason of a finding.
        policy: Reasons that fail, reasons that warn.
    """
    if reason in policy.fail:
        return "fail"
    return "warn" if reason in policy.warn else "ok"


def judge(findings: Sequence[Finding], images: int, policy: ValidationPolicy) -> ValidationVerdict:
    """Decide whether a snapshot may be used for training.

    Args:
        findings: All that was found.
        images: How many images were looked at.
        policy: Reasons that fail, reasons that warn.

    >>> judge([Finding("undecodable", "a.jpg: cut off")], 612, ValidationPolicy()).reason
    'not valid: 1 error in 612 images (1 undecodable), first: a.jpg: cut off'
    """
    worst = [f for f in findings if weight(f.reason, policy) == "fail"]
    warned = [f for f in findings if weight(f.reason, policy) == "warn"]
    if small := [f.detail for f in worst if f.reason in TOO_SMALL]:
        return ValidationVerdict("fail", small[0])
    if worst:
        reason = f"not valid: {_count(worst, 'error')} in {images:,} images"
        return ValidationVerdict(
            "fail", f"{reason} ({_by_reason(worst)}), first: {worst[0].detail}"
        )
    if warned:
        reason = f"valid: {images:,} images, {_count(warned, 'warning')}"
        return ValidationVerdict(
            "warn", f"{reason} ({_by_reason(warned)}), first: {warned[0].detail}"
        )
    return ValidationVerdict("ok", f"valid: {images:,} images, no errors and no warnings")


def _count(findings: Sequence[Finding], name: str) -> str:
    return f"{len(findings):,} {name}{'s' * (len(findings) > 1)}"


def _by_reason(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.reason for finding in findings)
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())
