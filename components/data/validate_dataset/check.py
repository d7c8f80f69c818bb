"""Find faults of a snapshot: bad boxes, unreadable or duplicate images, leaks between splits.

A finding has a reason and a location; the policy decides its weight (`verdict.weight`).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from components.data.validate_dataset.inspect_images import InspectedImage
from components.shared.contracts.events import SPLITS
from components.shared.contracts.policy import SplitPolicy, ValidationPolicy
from components.shared.contracts.snapshot import SnapshotInfo
from components.shared.vision.boxes import pairwise_iou
from components.shared.vision.phash import near_duplicates

POLICY = ValidationPolicy()
NEAR_BITS = SplitPolicy().max_near_duplicate_bits
MAX_PAIRS = 500_000  # of boxes that are compared at once, about 40 MB


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: a reason that can be counted, a sentence, and the image."""

    reason: str
    detail: str
    sha256: str = ""


def check(
    info: SnapshotInfo,
    pictures: Sequence[InspectedImage],
    policy: ValidationPolicy = POLICY,
    near_bits: int = NEAR_BITS,
) -> list[Finding]:
    """Find all faults of a snapshot.

    Args:
        info: Description of the snapshot.
        pictures: All of its images.
        policy: Thresholds of a finding.
        near_bits: Most bits in which the hashes of near-duplicates differ.

    Returns:
        Findings about single images first, in their order, then about the whole.
    """
    findings = [
        finding for picture in pictures for finding in _image(picture, info.classes, policy)
    ]
    findings += _counts(info, pictures, policy.min_images)
    findings += _groups(info, pictures)
    findings += _twins(pictures, near_bits)
    return findings


def _image(
    picture: InspectedImage, classes: Sequence[str], policy: ValidationPolicy
) -> Iterator[Finding]:
    max_boxes = policy.max_boxes
    if picture.found is None:
        yield Finding("undecodable", f"{picture.name}: {picture.fault}", picture.sha256)
    elif picture.found != picture.size:
        (width, height), (found_width, found_height) = picture.size, picture.found
        detail = f"is {found_width} x {found_height}, its label says {width} x {height}"
        yield Finding("wrong_size", f"{picture.name}: {detail}", picture.sha256)
    if len(picture.labels) > max_boxes:
        detail = f"{len(picture.labels):,} boxes, expected at most {max_boxes:,}"
        yield Finding("many_boxes", f"{picture.name}: {detail}", picture.sha256)
    for number, (reason, detail) in _boxes(picture, classes, policy.min_duplicate_iou):
        yield Finding(reason, f"{picture.name}, box {number}: {detail}", picture.sha256)


def _boxes(
    picture: InspectedImage, classes: Sequence[str], min_duplicate_iou: float
) -> Iterator[tuple[int, tuple[str, str]]]:
    width, height = picture.size
    for number, (box, label) in enumerate(zip(picture.boxes, picture.labels, strict=True)):
        x_min, y_min, x_max, y_max = box
        spans = f"x {x_min:g} to {x_max:g}, y {y_min:g} to {y_max:g}"
        if not (x_min < x_max and y_min < y_max):
            yield number, ("box_empty", f"{spans} holds nothing")
        if min(x_min, y_min) < 0 or x_max > width or y_max > height:
            yield number, ("box_outside", f"{spans} leaves the {width} x {height} image")
        if label not in classes:
            known = ", ".join(classes)
            yield number, ("unknown_class", f"class {label!r} is not one of {known}")
    for second, first in sorted(_duplicates(picture, min_duplicate_iou)):
        yield second, ("duplicate_box", f"lies on box {first}, another {picture.labels[first]}")


def _duplicates(picture: InspectedImage, min_iou: float) -> Iterator[tuple[int, int]]:
    """Yield each box that lies on an earlier one of its class, and the first such.

    Boxes are compared in blocks, so that memory does not grow with the square of their number.
    """
    boxes, count = picture.boxes, len(picture.labels)
    classes = np.unique(np.array(picture.labels, object), return_inverse=True)[1]
    order = np.argsort(boxes[:, 0], kind="stable")
    left = boxes[order, 0]
    near = (1 - min_iou) * float((boxes[:, 2] - boxes[:, 0]).max(initial=1.0))
    rows = max(1, MAX_PAIRS // max(1, count))
    for start in range(0, count, rows):
        block = order[start : start + rows]
        ends = left[start] - near, left[start + len(block) - 1] + near  # of what could be alike
        first, last = (
            np.searchsorted(left, ends[0], "left"),
            np.searchsorted(left, ends[1], "right"),
        )
        others = np.sort(order[first:last])
        alike = pairwise_iou(boxes[block], boxes[others]) >= min_iou
        alike &= classes[block, None] == classes[None, others]
        alike &= block[:, None] > others[None]
        for row in np.flatnonzero(alike.any(axis=1)).tolist():
            yield int(block[row]), int(others[alike[row].argmax()])


def _counts(
    info: SnapshotInfo, pictures: Sequence[InspectedImage], min_images: int
) -> Iterator[Finding]:
    if len(pictures) < min_images:
        detail = f"{len(pictures):,} images, expected at least {min_images:,}"
        yield Finding("too_few_images", detail)
    learned = {
        label for picture in pictures if picture.split == "train" for label in picture.labels
    }
    for split in SPLITS:
        here = [picture for picture in pictures if picture.split == split]
        if not here:
            yield Finding("empty_split", f"the {split} split has no images")
        elif split == "train" and not learned:
            detail = f"none of {len(here):,} training images has a box"
            yield Finding("nothing_to_learn", f"{detail}, expected objects to learn from")
        elif not any(picture.labels for picture in here):
            yield Finding("split_without_boxes", f"the {split} split has no boxes")
    for label in info.classes:
        if label not in learned:
            detail = f"class {label!r} has no box in the training images"
            yield Finding("class_without_boxes", detail)


def _groups(info: SnapshotInfo, pictures: Sequence[InspectedImage]) -> Iterator[Finding]:
    sides = defaultdict(set)
    for picture in pictures:
        sides[picture.group].add(picture.split)
    for group, splits in sorted(sides.items()):
        if len(splits) == 1:
            continue
        where = " and ".join(sorted(splits))
        why = info.shared_groups.get(group)
        if why is None:
            yield Finding("leak_between_splits", f"group {group!r} is in {where}")
        else:
            why_there = {"owner": "as its owner chose"}.get(why, "there being too few groups")
            yield Finding("shared_group", f"group {group!r} is in {where}, {why_there}")


def _twins(pictures: Sequence[InspectedImage], near_bits: int) -> Iterator[Finding]:
    splits = defaultdict(set)
    for picture in pictures:
        splits[picture.sha256].add(picture.split)
    for sha256, found in sorted(splits.items()):
        if len(found) > 1:
            detail = f"image {sha256[:12]} is in {' and '.join(sorted(found))}"
            yield Finding("leak_between_splits", detail, sha256)
    # Of images that look the same in one split, one stands for all.
    kinds = {(p.hash.tobytes(), p.split): p for p in pictures if p.hash is not None}
    hashes = np.frombuffer(b"".join(hash_ for hash_, _ in kinds), np.uint8).reshape(-1, 32)
    shown = list(kinds.values())
    for one, two in near_duplicates(hashes, near_bits):
        first, second = shown[one], shown[two]
        if first.split != second.split and first.sha256 != second.sha256:
            detail = f"{first.name} in {first.split} looks like {second.name} in {second.split}"
            yield Finding("leak_between_splits", detail, first.sha256)
