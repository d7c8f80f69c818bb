"""A finding says what is wrong and where; whether it matters is the policy's to say."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from components.contracts.events import SPLITS
from components.contracts.snapshot import SnapshotInfo
from components.validate_dataset.look import Picture
from components.vision.boxes import pairwise_iou
from components.vision.phash import NEAR_BITS, near_duplicates

SAME_BOX = 0.95  # overlap from which two boxes of one class are one object said twice


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a reason that can be counted, a sentence, and the image."""

    reason: str
    detail: str
    sha256: str = ""


def check(info: SnapshotInfo, pictures: Sequence[Picture], *, min_images: int) -> list[Finding]:
    """Find all that is wrong with a snapshot.

    Args:
        info: What the snapshot says it is.
        pictures: All of its images.
        min_images: The fewest it may have.

    Returns:
        Findings about single images first, in their order, then about the whole.
    """
    findings = [finding for picture in pictures for finding in _image(picture, info.classes)]
    findings += _counts(info, pictures, min_images)
    findings += _groups(info, pictures)
    findings += _twins(pictures)
    return findings


def _image(picture: Picture, classes: Sequence[str]) -> Iterator[Finding]:
    if picture.found is None:
        yield Finding("undecodable", f"{picture.name}: {picture.fault}", picture.sha256)
    elif picture.found != picture.size:
        (width, height), (found_width, found_height) = picture.size, picture.found
        detail = f"is {found_width} x {found_height}, its label says {width} x {height}"
        yield Finding("wrong_size", f"{picture.name}: {detail}", picture.sha256)
    for number, (reason, detail) in _boxes(picture, classes):
        yield Finding(reason, f"{picture.name}, box {number}: {detail}", picture.sha256)


def _boxes(picture: Picture, classes: Sequence[str]) -> Iterator[tuple[int, tuple[str, str]]]:
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
    alike = np.triu(pairwise_iou(picture.boxes, picture.boxes) >= SAME_BOX, 1)
    for first, second in np.argwhere(alike).tolist():
        if picture.labels[first] == picture.labels[second]:
            detail = f"lies on box {first}, another {picture.labels[first]}"
            yield second, ("duplicate_box", detail)


def _counts(info: SnapshotInfo, pictures: Sequence[Picture], min_images: int) -> Iterator[Finding]:
    if len(pictures) < min_images:
        detail = f"{len(pictures):,} images, expected at least {min_images:,}"
        yield Finding("too_few_images", detail)
    for split in SPLITS:
        here = [picture for picture in pictures if picture.split == split]
        if not here:
            yield Finding("empty_split", f"the {split} split has no images")
        elif not any(picture.labels for picture in here):
            yield Finding("split_without_boxes", f"the {split} split has no boxes")
    learned = {
        label for picture in pictures if picture.split == "train" for label in picture.labels
    }
    for label in info.classes:
        if label not in learned:
            detail = f"class {label!r} has no box in the training images"
            yield Finding("class_without_boxes", detail)


def _groups(info: SnapshotInfo, pictures: Sequence[Picture]) -> Iterator[Finding]:
    sides = defaultdict(set)
    for picture in pictures:
        sides[picture.group].add(picture.split)
    for group, splits in sorted(sides.items()):
        if len(splits) == 1:
            continue
        where = " and ".join(sorted(splits))
        why = info.shared_groups.get(group)
        if why is None:
            yield Finding("leak_between_splits", f"group {group!r} stands in {where}")
        else:
            said = {"owner": "as its owner chose"}.get(why, "there being too few groups")
            yield Finding("shared_group", f"group {group!r} stands in {where}, {said}")


def _twins(pictures: Sequence[Picture]) -> Iterator[Finding]:
    splits = defaultdict(set)
    for picture in pictures:
        splits[picture.sha256].add(picture.split)
    for sha256, found in sorted(splits.items()):
        if len(found) > 1:
            detail = f"image {sha256[:12]} stands in {' and '.join(sorted(found))}"
            yield Finding("leak_between_splits", detail, sha256)
    # Of images that look the same in one split, one stands for all.
    kinds = {(p.hash.tobytes(), p.split): p for p in pictures if p.hash is not None}
    hashes = np.frombuffer(b"".join(hash_ for hash_, _ in kinds), np.uint8).reshape(-1, 32)
    shown = list(kinds.values())
    for one, two in near_duplicates(hashes, NEAR_BITS):
        first, second = shown[one], shown[two]
        if first.split != second.split and first.sha256 != second.sha256:
            detail = f"{first.name} in {first.split} looks like {second.name} in {second.split}"
            yield Finding("leak_between_splits", detail, first.sha256)
