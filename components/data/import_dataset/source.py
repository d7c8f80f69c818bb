"""Open labelled images as a local folder: a folder, an archive, or an object store."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.unpack import SUFFIXES, Room, is_archive, unpack
from components.shared.contracts.errors import UserError
from components.shared.contracts.object_store import SCHEMES, scheme_of
from components.shared.contracts.policy import ImportPolicy
from components.shared.contracts.progress import log_progress
from components.shared.store.objects import Objects

POLICY = ImportPolicy()
EXPECTED = (
    f"a folder, an archive ({', '.join(SUFFIXES)}), or the same in an object store such as "
    "s3://bucket/prefix"
)


@contextmanager
def opened(source: str, policy: ImportPolicy = POLICY) -> Iterator[ImageFolder]:
    """Yield labelled images as a folder; an archive or object store is copied to a temporary one.

    Args:
        source: A folder, an archive, or an address of either in an object store. The object
            store's credentials come from its usual environment variables.
        policy: How much may come.

    Raises:
        UserError: If it is none of these, holds no image, or is too large.
    """
    scheme = scheme_of(source)
    if not source or (scheme and scheme not in SCHEMES):
        raise UserError(f"source is {source!r}, expected {EXPECTED}")
    if not scheme and not is_archive(source):
        yield ImageFolder(Path(source))
        return
    with TemporaryDirectory(prefix="import-") as scratch:
        room = Room(Path(scratch) / "files", policy, source)
        room.folder.mkdir()
        archive = _fetched(source, room, Path(scratch)) if scheme else _file(source)
        if archive:
            unpack(archive, room)
        if archive and scheme:
            archive.unlink()  # half of the disk that both would take
        log_progress(f"{source}: {room.files:,} files, {room.bytes / 1e6:,.0f} MB")
        yield ImageFolder(_innermost(room.folder, source), called=source)


def _file(source: str) -> Path:
    archive = Path(source)
    if not archive.is_file():
        raise UserError(f"{source} is {'a folder' if archive.exists() else 'not there'}, "
                      "expected the file of an archive")  # fmt: skip
    return archive


def _fetched(source: str, room: Room, scratch: Path) -> Path | None:
    """Copy from an object store; return the archive if it is one, to be unpacked."""
    if is_archive(source):
        parent, _, name = source.rstrip("/").rpartition("/")
        return _downloaded(Objects(parent), name, room, scratch / "archive")
    objects = Objects(source)
    for key, size in without_markers(objects.sizes()).items():
        target = room.path_of(key)
        room.count(key, size, size)
        if size:
            objects.download(key, target)
        else:
            _make_empty(target)
    if not room.files:
        raise UserError(f"{source} holds no objects, expected images and annotations")
    return None


def without_markers(sizes: Mapping[str, int]) -> dict[str, int]:
    """Remove the empty objects that S3 consoles create for folders.

    Args:
        sizes: Bytes of every object by its key, from which a last slash is gone.

    >>> without_markers({"": 0, "labels": 0, "labels/a.txt": 0})
    {'labels/a.txt': 0}
    """
    folders = {"", *(str(parent) for key in sizes for parent in PurePosixPath(key).parents)}
    return {key: size for key, size in sizes.items() if size or key not in folders}


def _make_empty(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()


def _downloaded(objects: Objects, name: str, room: Room, target: Path) -> Path:
    most = room.policy.max_mb
    if objects.download(name, target, most * 1_000_000) > most * 1_000_000:
        raise UserError(f"{room.called} has more than {most:,} MB, expected at most as much")
    return target


def _innermost(folder: Path, source: str) -> Path:
    """Return the folder that an archive was made of, if it holds one of its own name alone."""
    name = Path(source).name.split(".")[0]
    shown = [one for one in folder.iterdir() if not one.name.startswith((".", "__MACOSX"))]
    return folder / name if shown == [folder / name] and shown[0].is_dir() else folder
