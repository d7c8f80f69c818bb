"""Freeze a snapshot from the labels in the database: shards first, then rows, then the folder."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from psycopg2 import extensions

from components.data.snapshot_dataset.bridges import bridges
from components.data.snapshot_dataset.place import place_images
from components.data.snapshot_dataset.rows import (
    DatasetRows,
    LabelledFrame,
    read_labelled,
    settle_splits,
    settled_splits,
)
from components.data.snapshot_dataset.split import (
    POLICY,
    Member,
    assign,
    shared_groups,
    split_of,
)
from components.shared.contracts.events import SPLITS, Split
from components.shared.contracts.policy import SplitPolicy
from components.shared.contracts.progress import follow, log_progress
from components.shared.contracts.record import write_lines
from components.shared.contracts.snapshot import (
    ShardEntry,
    SnapshotImage,
    SnapshotInfo,
    SnapshotLayout,
    snapshot_id,
)
from components.shared.store.objects import Objects, digest_bytes, frame_key
from components.shared.vision.jpeg import JpegError
from components.shared.vision.phash import Hash, hash_jpeg


def freeze(
    connection: extensions.connection,
    objects: Objects,
    dataset: str,
    root: str | Path,
    *,
    grow_test: bool,
    policy: SplitPolicy = POLICY,
) -> SnapshotInfo:
    """Freeze all labelled images of a dataset; the split of an image never changes.

    Args:
        connection: An open connection to a migrated database.
        objects: Where the frames lie, and where the shards go.
        dataset: Its name.
        root: Folder of the snapshot, a `SnapshotLayout`.
        grow_test: Whether groups that no snapshot has seen may enter the test set.
        policy: Shares of the splits, and the distance of near-duplicates.

    Returns:
        What was frozen and what was left out.

    Raises:
        UserError: If nothing of the dataset is labelled.
    """
    labelled = read_labelled(connection, dataset)
    hashes, left_out = _inspect(objects, labelled.frames)
    frames = [frame for frame in labelled.frames if frame.sha256 not in left_out]
    members = [frame.member for frame in frames]
    settled = _settle(connection, dataset, members, grow_test, policy)
    splits = {member.sha256: split_of(member, settled) or "train" for member in members}
    left_out |= dict.fromkeys(bridges(splits, hashes, policy), "bridges_splits")
    kept = [frame for frame in frames if frame.sha256 not in left_out]
    images = [frame.image(splits[frame.sha256]) for frame in kept]
    entries = place_images(connection, objects, (image.sha256 for image in images))
    info = _info(dataset, labelled, images, left_out, shared_groups(members, settled))
    _write(root, info, images, entries)
    _log_summary(info)
    return info


def _settle(
    connection: extensions.connection,
    dataset: str,
    members: Sequence[Member],
    grow_test: bool,
    policy: SplitPolicy,
) -> dict[str, Split]:
    settled = settled_splits(connection, dataset)
    new = assign(dataset, members, settled, grow_test=grow_test, policy=policy)
    return settle_splits(connection, dataset, new) if new else settled


def _inspect(
    objects: Objects, frames: Sequence[LabelledFrame]
) -> tuple[dict[str, Hash], dict[str, str]]:
    """Return the hash of each image that decodes, and why some cannot be taken at all."""
    hashes: dict[str, Hash] = {}
    left_out: dict[str, str] = {}
    progress = follow(len(frames), "images read")
    for done, frame in enumerate(frames):
        progress(done)
        try:
            content = objects.get(frame_key(frame.sha256))
            if frame.boxes is None:
                left_out[frame.sha256] = "bad_boxes"
            elif digest_bytes(content) != frame.sha256:
                left_out[frame.sha256] = "bytes_changed"
            else:
                hashes[frame.sha256] = hash_jpeg(content)
        except FileNotFoundError:
            left_out[frame.sha256] = "bytes_missing"
        except JpegError:
            continue  # it is labelled, so it is taken; validate_dataset judges what it holds
    return hashes, left_out


def _info(
    dataset: str,
    labelled: DatasetRows,
    images: Sequence[SnapshotImage],
    left_out: dict[str, str],
    shared: dict[str, str],
) -> SnapshotInfo:
    boxes: Counter[str] = Counter()
    for image in images:
        boxes[image.split] += len(image.boxes)
    counts = Counter(image.split for image in images)
    return SnapshotInfo(
        id=snapshot_id(dataset, labelled.classes, images),
        dataset=dataset,
        classes=labelled.classes,
        as_of=labelled.as_of,
        images={split: counts[split] for split in SPLITS},
        boxes={split: boxes[split] for split in SPLITS},
        left_out=left_out,
        refused=labelled.refused,
        shared_groups=shared,
    )


def _write(
    root: str | Path,
    info: SnapshotInfo,
    images: Sequence[SnapshotImage],
    entries: Sequence[ShardEntry],
) -> None:
    layout = SnapshotLayout(root)
    write_lines(images, layout.manifest)
    write_lines(entries, layout.index)
    info.write(layout.info)


def _log_summary(info: SnapshotInfo) -> None:
    for reason, count in sorted(Counter(info.left_out.values()).items()):
        log_progress(f"{count:,} images left out: {reason}")
    for reason, count in sorted(Counter(info.shared_groups.values()).items()):
        log_progress(f"{count:,} groups are in several splits: {reason}")
    sides = ", ".join(f"{count:,} {split}" for split, count in info.images.items())
    log_progress(
        f"snapshot {info.id[:12]}: {sum(info.images.values()):,} images ({sides}), "
        f"{sum(info.boxes.values()):,} boxes"
    )
