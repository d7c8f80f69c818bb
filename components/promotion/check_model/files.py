"""Check the files of a package by type, number and size, and copy it.

Types and sizes are checked before any file is read, so that no link, pipe or huge file is.
"""

import os
import shutil
import stat
from pathlib import Path

from components.promotion.check_model.faults import PackageRejectedError
from components.shared.contracts.model import PackageInfo, PackageLayout
from components.shared.contracts.policy import CheckPolicy


def check_files(folder: Path, policy: CheckPolicy) -> float:
    """Reject a folder with links or special files, too many files or too many bytes.

    Args:
        folder: Folder that should be a package; no file is read.
        policy: Limits of number and size.

    Returns:
        The size of all files, in MB.

    Raises:
        PackageRejectedError: With the first file that is not plain, or the number or size.
    """
    count, size = 0, 0
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            entry = os.lstat(os.path.join(path, name))
            if not stat.S_ISREG(entry.st_mode) and not stat.S_ISDIR(entry.st_mode):
                what = "a link" if stat.S_ISLNK(entry.st_mode) else "no regular file"
                raise PackageRejectedError(f"{name} is {what}, expected a file")
            count, size = count + 1, size + entry.st_size * stat.S_ISREG(entry.st_mode)
    if count > policy.max_files:
        raise PackageRejectedError(
            f"the package has {count:,} files, expected at most {policy.max_files}"
        )
    if size > policy.max_size_mb * 1e6:
        raise PackageRejectedError(
            f"the package has {size / 1e6:,.1f} MB, expected at most {policy.max_size_mb:g} MB"
        )
    return size / 1e6


def copied(source: Path, target: Path) -> PackageInfo:
    """Copy a package, verify the copy, and return its description.

    Args:
        source: Folder of the package.
        target: Folder that is made.

    Raises:
        PackageError: With the first file that is missing, unexpected or changed.
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
    return PackageLayout(target).verify()
