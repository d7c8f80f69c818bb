"""Pack JPEGs into shards named by the digest of their content, so that packing is idempotent."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from components.shared.contracts.snapshot import ShardEntry
from components.shared.store.objects import digest_bytes

SHARD_IMAGES = 500
SHARD_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class Shard:
    """JPEGs one after the other, and the offset of each."""

    key: str
    content: bytes
    entries: tuple[ShardEntry, ...]


def pack_shards(
    digests: Iterable[str],
    read: Callable[[str], bytes],
    *,
    most_images: int = SHARD_IMAGES,
    most_bytes: int = SHARD_BYTES,
) -> Iterator[Shard]:
    """Pack images without a place into shards, one shard in memory at a time.

    The same images give the same shards, in whatever order they are named. What already
    has a place in `silver.shards` keeps it and is not named here.

    Args:
        digests: The images, by SHA-256.
        read: Returns the bytes of one image.
        most_images: The most that a shard holds.
        most_bytes: The most bytes of a shard; a larger image has a shard of its own.
    """
    waiting: list[bytes] = []
    names: list[str] = []
    for sha256 in sorted(set(digests)):
        content = read(sha256)
        full = len(waiting) == most_images or sum(map(len, waiting)) + len(content) > most_bytes
        if waiting and full:
            yield _shard(names, waiting)
            waiting, names = [], []
        waiting.append(content)
        names.append(sha256)
    if waiting:
        yield _shard(names, waiting)


def _shard(names: list[str], contents: list[bytes]) -> Shard:
    content = b"".join(contents)
    key = f"shards/{digest_bytes(content)}.bin"
    entries, offset = [], 0
    for sha256, one in zip(names, contents, strict=True):
        entries.append(ShardEntry(sha256=sha256, shard=key, offset=offset, length=len(one)))
        offset += len(one)
    return Shard(key, content, tuple(entries))
