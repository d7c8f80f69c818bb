"""Unpack an archive of images into a folder, and never outside it: zip, tar and compressed tar.

Archives are untrusted. Names may lead out of the folder (path traversal), entries may be links
or devices, and a small archive may unpack to more than the disk holds (zip bomb); each of these
refuses the whole archive. Sizes are counted while writing, because the sizes in the headers of
an archive may be wrong.
"""

import errno
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import ImportPolicy

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
CHUNK = 1 << 20
DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError,
    NotImplementedError,  # another compression than ours
    RuntimeError,  # it is encrypted
)  # fmt: skip
# The disk's fault, not the archive's: with another disk the same archive may be unpacked.
DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})


class Entry(NamedTuple):
    """One file of an archive: its name, and a function that opens it."""

    name: str
    content: IO[bytes]


class Room:
    """A folder for files from outside, with limits on number and size.

    Args:
        folder: Where the files go.
        policy: How many and how large they may be.
        called: Name of the source in messages.
    """

    def __init__(self, folder: Path, policy: ImportPolicy, called: str) -> None:
        self.folder, self.policy, self.called = folder, policy, called
        self.files = self.bytes = 0

    def path_of(self, name: str) -> Path:
        """Return where a file goes, and count it.

        Raises:
            UserError: If the name leads out of the folder, or there are too many files.
        """
        pure = PurePosixPath(name.replace("\\", "/"))
        if not pure.parts or pure.is_absolute() or {"..", "\0"} & set(pure.parts) or "\0" in name:
            raise UserError(f"{self.called} has {name!r}, expected names inside its own folder")
        self.files += 1
        if self.files > self.policy.max_files:
            raise UserError(
                f"{self.called} has more than {self.policy.max_files:,} files, expected at most "
                "as many; import it in parts"
            )
        return self.folder / pure

    def count(self, name: str, size: int, of_file: int) -> None:
        """Count bytes before they are written.

        Args:
            name: Path of the file within the archive.
            size: Bytes to be written now.
            of_file: Bytes of this file, these included.

        Raises:
            UserError: If the file, or all of them together, are too large.
        """
        self.bytes += size
        for found, most, what in (
            (of_file, self.policy.max_file_mb, f"{name!r} of {self.called}"),
            (self.bytes, self.policy.max_mb, f"{self.called} unpacked"),
        ):
            if found > most * 1_000_000:
                raise UserError(f"{what} has more than {most:,} MB, expected at most as much")

    def take(self, entry: Entry) -> None:
        """Write one file.

        Raises:
            UserError: If no file can have its name, or limits do not hold it.
        """
        target = self.path_of(entry.name)
        try:
            self._write(entry, target)
        except OSError as cause:
            if cause.errno is None or cause.errno in DISK:
                raise
            raise UserError(
                f"{self.called} has {entry.name!r}, which cannot be written: {cause.strerror}"
            ) from cause

    def _write(self, entry: Entry, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        written = 0
        with target.open("wb") as file:
            while chunk := entry.content.read(CHUNK):
                written += len(chunk)
                self.count(entry.name, len(chunk), written)
                file.write(chunk)


def is_archive(name: str) -> bool:
    """Return whether a file name has the ending of an archive.

    >>> is_archive("s3://bucket/cars.tar.gz"), is_archive("s3://bucket/cars")
    (True, False)
    """
    return name.lower().endswith(SUFFIXES)


def unpack(archive: Path, room: Room) -> None:
    """Write every file of an archive.

    Args:
        archive: A zip or tar file.
        room: Target folder with its limits.

    Raises:
        UserError: If it cannot be read, or has what no archive of images has.
        OSError: If the disk is full or broken.
    """
    try:
        for entry in _zipped(archive) if _is_zip(archive) else _tarred(archive, room.called):
            room.take(entry)
    except UserError:
        raise
    except (*DAMAGED, OSError) as cause:
        if isinstance(cause, OSError) and cause.errno in DISK:
            raise
        raise UserError(f"{room.called} is no archive that can be read: {cause}") from cause


def _is_zip(archive: Path) -> bool:
    with archive.open("rb") as file:
        return file.read(2) == b"PK"


def _zipped(archive: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():  # zip has no links: one is written as a file with its text
            if not info.is_dir():
                with packed.open(info) as content:
                    yield Entry(info.filename, content)


def _tarred(archive: Path, called: str) -> Iterator[Entry]:
    with tarfile.open(archive, "r:*") as packed:
        for info in packed:
            if info.isdir():
                continue
            content = packed.extractfile(info) if info.isreg() else None
            if content is None:
                raise UserError(f"{called} has {info.name!r}, which is a link or a device, "
                              "expected files and folders")  # fmt: skip
            with content:
                yield Entry(info.name, content)
