"""Check the files of a package by type, number and size, and copy it.

Types and sizes are checked before any file is read, so that no link, pipe or huge file is.
"""

import os
import shutil
import stat
from pathlib import Path

from components.promotion.check_model.faults import Faulty
from components.shared.contracts.model import PackageInfo, PackageLayout
from components.shared.contracts.policy import CheckPolicy


def check_files(folder: Path, policy: CheckPolicy) -> float:
    """Refuse a folder whose files are not plain, or too many, or too large; read none.

    Args:
        folder: What should be a package.
        policy: The limits.

    Returns:
        The size of all files, in MB.

    Raises:
        Faulty: Naming the first file that is no file, or how many or large they are.
    """
    count, size = 0, 0
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            entry = os.lstat(os.path.join(path, name))
            if not stat.S_ISREG(entry.st_mode) and not stat.S_ISDIR(entry.st_mode):
                what = "a link" if stat.S_ISLNK(entry.st_mode) else "no plain file"
                raise Faulty(f"{name} is {what}, expected a file")
            count, size = count + 1, size + entry.st_size * stat.S_ISREG(entry.st_mode)
    if count > policy.files:
        raise Faulty(f"the package has {count:,} files, expected at most {policy.files}")
    if size > policy.size_mb * 1e6:
        raise Faulty(f"the package has {size / 1e6:,.1f} MB, expected at most {policy.size_mb:g}")
    return size / 1e6


def copied(source: Path, target: Path) -> PackageInfo:
    """Copy a package, and return its description if the copy is whole.

    Raises:
        PackageError: Naming the first file that is missing, strange or changed.
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
    return PackageLayout(target).verify()
