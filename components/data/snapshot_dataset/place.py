"""Pack images into shards once, and find their places for later snapshots."""

from collections.abc import Iterable

from psycopg2 import extensions
from psycopg2.extras import execute_values

from components.shared.contracts.snapshot import ShardEntry
from components.shared.store.objects import Objects, frame_key
from components.shared.store.shards import Shard, pack_shards

COLUMNS = 'sha256, shard, "offset", length'


def place_images(
    connection: extensions.connection, objects: Objects, digests: Iterable[str]
) -> list[ShardEntry]:
    """Return the place of each image's bytes, packing the images that have none yet.

    A shard is stored before its rows, so a row never names missing bytes; cut short
    between the two, the next call packs the same shard again, which is no work.

    Args:
        connection: To the database; a transaction is committed for each new shard.
        objects: Where frames lie one by one, and where the shards go.
        digests: The images, by SHA-256; all of their frames must be in the store.

    Returns:
        One entry an image, sorted by SHA-256.

    Raises:
        FileNotFoundError: If a frame is not in the object store.
    """
    wanted = sorted(set(digests))
    missing = set(wanted) - {entry.sha256 for entry in _placed(connection, wanted)}
    for shard in pack_shards(missing, lambda sha256: objects.get(frame_key(sha256))):
        objects.put_once(shard.key, shard.content)
        _record(connection, shard)
    return _placed(connection, wanted)


def _placed(connection: extensions.connection, digests: list[str]) -> list[ShardEntry]:
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM silver.shards WHERE sha256 = ANY(%s)", (digests,))
        entries = [
            ShardEntry(sha256=sha256, shard=shard, offset=offset, length=length)
            for sha256, shard, offset, length in cursor
        ]
    return sorted(entries, key=lambda entry: entry.sha256)


def _record(connection: extensions.connection, shard: Shard) -> None:
    rows = [(entry.sha256, entry.shard, entry.offset, entry.length) for entry in shard.entries]
    with connection, connection.cursor() as cursor:
        execute_values(
            cursor,
            f"INSERT INTO silver.shards ({COLUMNS}) VALUES %s ON CONFLICT DO NOTHING",
            rows,
        )
