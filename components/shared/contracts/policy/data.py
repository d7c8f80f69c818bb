"""Policies of data: imports, splits of a snapshot, and its validation."""

from typing import Literal, Self

from pydantic import model_validator

from components.shared.contracts.events import Split
from components.shared.contracts.policy.field import limit
from components.shared.contracts.record import Record

Reason = Literal[
    "undecodable",
    "wrong_size",
    "box_outside",
    "box_empty",
    "unknown_class",
    "empty_split",
    "too_few_images",
    "nothing_to_learn",
    "leak_between_splits",
    "duplicate_box",
    "many_boxes",
    "class_without_boxes",
    "split_without_boxes",
    "shared_group",
]
FAILS: tuple[Reason, ...] = (
    "undecodable",
    "wrong_size",
    "box_outside",
    "box_empty",
    "unknown_class",
    "empty_split",
    "too_few_images",
    "nothing_to_learn",
    "leak_between_splits",
)
WARNS: tuple[Reason, ...] = (
    "duplicate_box",
    "many_boxes",
    "class_without_boxes",
    "split_without_boxes",
)


class ImportPolicy(Record):
    """Limits of one import, so that no archive fills a disk."""

    max_files: int = limit(200_000, "files", description="images, labels and others", ge=1)
    max_mb: int = limit(20_000, "MB", description="size of all files, unpacked", ge=1)
    max_file_mb: int = limit(1_000, "MB", description="size of one file, unpacked", ge=1)


class SplitPolicy(Record):
    """Shares of the splits of a snapshot, and the distance of near-duplicate images.

    The shares hold for groups that have no split yet; an assigned split never changes.
    """

    train_share: float = limit(
        0.70, "share", description="of the images, to learn from", gt=0, lt=1
    )
    validation_share: float = limit(
        0.15, "share", description="of the images, to choose epochs and settings by", gt=0, lt=1
    )
    test_share: float = limit(
        0.15, "share", description="of the images, to compare models on", gt=0, lt=1
    )
    max_near_duplicate_bits: int = limit(
        4,
        "bits",
        description="of 256, in which the hashes of two images differ that show the same; they "
        "may not stand in two splits",
        ge=0,
        le=31,
    )

    @model_validator(mode="after")
    def _shares_are_the_whole(self) -> Self:
        if abs(sum(self.shares.values()) - 1) > 1e-6:
            raise ValueError(f"the shares of the splits sum to {sum(self.shares.values()):g}, "
                             "expected 1")  # fmt: skip
        return self

    @property
    def shares(self) -> dict[Split, float]:
        """The share of each split."""
        return {
            "train": self.train_share,
            "validation": self.validation_share,
            "test": self.test_share,
        }


class ValidationPolicy(Record):
    """Thresholds at which a snapshot fails (`fail`) or gets a warning (`warn`)."""

    fail: tuple[Reason, ...] = limit(FAILS, "findings", description="that refuse the snapshot")
    warn: tuple[Reason, ...] = limit(WARNS, "findings", description="that are a warning")
    min_images: int = limit(10, "images", description="of a snapshot, over all splits", ge=1)
    max_boxes: int = limit(
        1000, "boxes", description="of one image, beyond which its label is remarked upon", ge=1
    )
    min_duplicate_iou: float = limit(
        0.95, "IoU", description="of two boxes of a class that are one object twice", gt=0, le=1
    )

    def too_small(self, images: int, boxes: int) -> str:
        """Return why so few images or boxes are not enough, or an empty text.

        Args:
            images: Number of labelled images.
            boxes: Number of their boxes.

        >>> ValidationPolicy().too_small(5, 39)
        '5 labelled images, expected at least 10 to train on'
        """
        if images < self.min_images:
            labelled = f"{images:,} labelled image{'' if images == 1 else 's'}"
            return f"{labelled}, expected at least {self.min_images:,} to train on"
        if not boxes:
            return f"none of {images:,} labelled images has a box, expected objects to learn from"
        return ""
