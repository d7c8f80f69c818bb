"""Check a snapshot, write its page, and refuse it if the policy requires that."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from components.data.validate_dataset.check import check
from components.data.validate_dataset.inspect_images import inspect_images
from components.data.validate_dataset.page import write_validation_page
from components.data.validate_dataset.verdict import Word, judge
from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import Policy
from components.shared.contracts.progress import log_progress
from components.shared.contracts.snapshot import SnapshotInfo, SnapshotLayout
from components.shared.store.objects import Objects
from components.shared.store.snapshots import ImageReader

POLICIES = Policy()


class SnapshotValidationError(UserError):
    """A snapshot failed validation."""


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdict on a snapshot, and its metrics for the dashboard."""

    word: Word
    numbers: dict[str, float]


def validate(
    root: str | Path,
    objects: Objects,
    page: str | Path,
    policies: Policy = POLICIES,
) -> Validation:
    """Check a snapshot, write its page, and refuse it if the policy requires that.

    Args:
        root: Folder of the snapshot, a `SnapshotLayout`.
        objects: The store that holds its shards.
        page: The HTML file to write, whatever the verdict.
        policies: Gives the thresholds of validation, and the distance of near-duplicates.

    Raises:
        SnapshotValidationError: If a finding fails the snapshot, with their counts and the first.
        ShardError: If the bytes of an image are gone or damaged.
    """
    policy, near_bits = policies.validation, policies.split.max_near_duplicate_bits
    layout = SnapshotLayout(root)
    info, reader = SnapshotInfo.read(layout.info), ImageReader(layout.index, objects)
    pictures = inspect_images(root, reader)
    findings = check(info, pictures, policy, near_bits)
    verdict = judge(findings, len(pictures), policy)
    write_validation_page(page, info, pictures, findings, verdict, policy, reader)
    if verdict.word == "fail":
        raise SnapshotValidationError(
            f"snapshot {info.id[:12]} of {info.dataset}: {verdict.reason}"
        )
    log_progress(verdict.reason)
    numbers: dict[str, float] = {
        "images": len(pictures),
        "boxes": sum(len(p.labels) for p in pictures),
    }
    numbers |= {f"{split} images": count for split, count in info.images.items()}
    numbers |= Counter(finding.reason for finding in findings)
    return Validation(verdict.word, numbers)
