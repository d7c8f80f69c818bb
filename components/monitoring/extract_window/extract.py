"""Extract a window of predictions: select rows after the watermark, sample, write to disk.

The same rows make the same window id.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg2 import extensions

from components.monitoring.extract_window.sample import evenly
from components.monitoring.extract_window.served import frames, served
from components.shared.contracts.errors import UserError
from components.shared.contracts.progress import log_progress
from components.shared.contracts.record import digest_of, write_lines
from components.shared.contracts.snapshot import ShardEntry, WindowFrame, WindowInfo, WindowLayout
from components.shared.store.objects import Objects, frame_key
from components.shared.store.registry import Registry


def extract(
    connection: extensions.connection,
    objects: Objects,
    dataset: str,
    root: str | Path,
    *,
    max_frames: int,
) -> WindowInfo:
    """Extract the next window of a dataset: the champion's predictions after the watermark.

    Args:
        connection: An open connection to a migrated database.
        objects: Object store of the images.
        dataset: Name of the dataset.
        root: Folder of the window, a `WindowLayout`.
        max_frames: Number of frames to keep, at least 1; of more an even sample is taken.

    Returns:
        The window; without frames it ends where it begins.

    Raises:
        UserError: If `max_frames` is below 1; OutageError: if another transaction does not end.
    """
    if max_frames < 1:
        raise UserError(f"max_frames is {max_frames}, expected 1 or more")
    registry = Registry(connection)
    since, champion = registry.last_watermark(dataset), registry.champion(dataset)
    if champion is None:
        log_progress(f"0 frames: {dataset} has no champion yet")
        return _freeze(root, dataset, None, since, since, [], {})
    found = served(connection, dataset, champion.model, since)
    if found.unknown:
        log_progress(f"{found.unknown:,} predictions left out: their frames are not ingested yet")
    chosen = frames(connection, evenly(found.sequences, max_frames))
    kept = _readable(chosen, objects)
    until = found.sequences[-1] if found.sequences else since
    counts = {"served": len(found.sequences), "answers": found.answers}
    counts["gone"] = len(chosen) - len(kept)
    info = _freeze(root, dataset, champion.model, since, until, kept, counts)
    log_progress(_summary(info))
    return info


def _readable(
    chosen: Sequence[tuple[WindowFrame, int]], objects: Objects
) -> list[tuple[WindowFrame, int]]:
    kept = [pair for pair in chosen if objects.exists(frame_key(pair[0].sha256))]
    if len(kept) < len(chosen):
        log_progress(f"{len(chosen) - len(kept):,} frames left out: their images are deleted")
    return kept


def _freeze(
    root: str | Path,
    dataset: str,
    model: str | None,
    since: int,
    until: int,
    kept: Sequence[tuple[WindowFrame, int]],
    counts: Mapping[str, int],
) -> WindowInfo:
    lines = [frame.model_dump(mode="json") for frame, _ in kept]
    info = WindowInfo(
        dataset=dataset,
        model=model,
        since=since,
        until=until,
        frames=len(kept),
        id=digest_of([dataset, model, since, until, lines]),
        **counts,
    )
    layout = WindowLayout(root)
    write_lines((frame for frame, _ in kept), layout.frames)
    write_lines((_entry(frame.sha256, size) for frame, size in kept), layout.index)
    info.write(layout.info)
    return info


def _entry(sha256: str, size: int) -> ShardEntry:
    return ShardEntry(sha256=sha256, shard=frame_key(sha256), offset=0, length=size)


def _summary(info: WindowInfo) -> str:
    """Return a sentence: number of frames, and those missing of the served ones."""
    model, sample = str(info.model)[:12], info.frames + info.gone
    if not info.served:
        return f"0 frames: champion {model} served none since the last decision"
    drawn = f", an even sample of {sample:,} from {info.served:,}" if sample < info.served else ""
    gone = f"; {info.gone:,} more left out: their images are deleted" if info.gone else ""
    return f"{info.frames:,} frames served by champion {model}{drawn}{gone}"
