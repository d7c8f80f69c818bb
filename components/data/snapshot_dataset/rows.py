"""Read labelled frames, classes and split assignments of a dataset from the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg2 import extensions
from psycopg2.extras import RealDictCursor, execute_values

from components.data.snapshot_dataset.split import Member
from components.shared.contracts.annotation import Box
from components.shared.contracts.errors import UserError
from components.shared.contracts.events import Split
from components.shared.contracts.snapshot import SnapshotImage


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """A frame with its newest label; `boxes` is None if the label's boxes are invalid."""

    row: Mapping[str, Any]
    boxes: tuple[Box, ...] | None

    @property
    def sha256(self) -> str:
        """The digest of its JPEG."""
        return str(self.row["sha256"])

    @property
    def member(self) -> Member:
        """The properties that decide its split."""
        return Member(self.sha256, self.row["group_name"], self.row["split"])

    def image(self, split: Split) -> SnapshotImage:
        """Return its line of the manifest."""
        return SnapshotImage(
            sha256=self.sha256,
            width=self.row["width"],
            height=self.row["height"],
            camera=self.row["camera"],
            group=self.row["group_name"],
            split=split,
            captured_at=self.row["captured_at"].astimezone(UTC),
            source_name=self.row["source_name"],
            boxes=self.boxes or (),
        )


@dataclass(frozen=True, slots=True)
class DatasetRows:
    """A dataset at one instant: its labelled frames, its classes, its refused frames."""

    frames: list[LabelledFrame]
    classes: tuple[str, ...]
    refused: dict[str, int]

    @property
    def as_of(self) -> datetime:
        """Time of the newest label."""
        times: list[datetime] = [frame.row["labelled_at"] for frame in self.frames]
        return max(times).astimezone(UTC)


def read_labelled(connection: extensions.connection, dataset: str) -> DatasetRows:
    """Read all that is labelled of a dataset, sorted by digest.

    Args:
        connection: Connection to the database.
        dataset: Name of the dataset.

    Raises:
        UserError: If there is nothing, naming the datasets that there are.
    """
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute("SELECT * FROM gold.labelled_frames WHERE dataset = %s", (dataset,))
        rows = sorted(cursor.fetchall(), key=lambda row: str(row["sha256"]))
        cursor.execute(
            "SELECT label FROM silver.classes WHERE dataset = %s ORDER BY position", (dataset,)
        )
        classes = tuple(row["label"] for row in cursor.fetchall())
        cursor.execute(
            "SELECT reason, count(*) AS files FROM quarantine.items WHERE dataset = %s "
            "GROUP BY reason ORDER BY reason",
            (dataset,),
        )
        refused = {row["reason"]: row["files"] for row in cursor.fetchall()}
        if not rows:
            raise UserError(_nothing(cursor, dataset))
    return DatasetRows([LabelledFrame(row, _boxes(row["boxes"])) for row in rows], classes, refused)


def settled_splits(connection: extensions.connection, dataset: str) -> dict[str, Split]:
    """Return the splits assigned before, by group or by image.

    Args:
        connection: Connection to the database.
        dataset: Name of the dataset.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT group_name, split FROM silver.splits WHERE dataset = %s", (dataset,))
        return dict(cursor.fetchall())


def settle_splits(
    connection: extensions.connection, dataset: str, new: Mapping[str, Split]
) -> dict[str, Split]:
    """Store new split assignments, all or none, and return all; the first assignment holds.

    Args:
        connection: Connection to the database.
        dataset: Name of the dataset.
        new: Splits by group or image.
    """
    rows = [(dataset, name, split) for name, split in sorted(new.items())]
    with connection, connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO silver.splits (dataset, group_name, split) VALUES %s "
            "ON CONFLICT DO NOTHING",
            rows,
        )
    return settled_splits(connection, dataset)


def _boxes(values: list[dict[str, Any]]) -> tuple[Box, ...] | None:
    try:
        boxes = [Box.model_validate(value) for value in values]
    except ValueError:
        return None
    return tuple(sorted(boxes, key=lambda box: tuple(box.model_dump().values())))


def _nothing(cursor: RealDictCursor, dataset: str) -> str:
    cursor.execute("SELECT DISTINCT dataset FROM gold.labelled_frames ORDER BY dataset")
    known = ", ".join(row["dataset"] for row in cursor.fetchall()) or "none yet"
    return f"dataset {dataset!r} has no labelled frames; datasets that have some: {known}"
