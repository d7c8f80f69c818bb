"""Group images that were taken together, so that a group is never divided between splits.

Without groups by the owner, groups are derived from the names: the clip that a frame was cut
from (`13_mp4-10.jpg` and `13_mp4-11.jpg` are of `13_mp4`), else the folder, if the images
are in several (folders called images, labels or like a split do not count), else each image
is its own group. Copies that a tool made of one image (`a_jpg.rf.1f3b.jpg`) share a group.
"""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from components.data.import_dataset.found import split_called
from components.data.import_dataset.pairing import KINDS

_CLIP = re.compile(r".*?[._-](?:mp4|avi|mov|mkv|webm|m4v)(?=[._-])", re.IGNORECASE)


def groups_of(names: Iterable[str]) -> dict[str, str]:
    """Return the group of each image.

    Args:
        names: Paths of all images of a dataset, relative to its folder.

    >>> groups_of(["images/13_mp4-10.jpg", "images/13_mp4-2.jpg", "images/park_jpg.rf.0a.jpg"])
    {'images/13_mp4-10.jpg': '13_mp4', 'images/13_mp4-2.jpg': '13_mp4', ...: 'park_jpg'}
    >>> groups_of(["train/north/a.jpg", "val/south/a.jpg"])
    {'train/north/a.jpg': 'north', 'val/south/a.jpg': 'south'}
    >>> groups_of(["Train/Images/a.jpg", "valid/images/b.jpg"])
    {'Train/Images/a.jpg': 'Train/Images/a', 'valid/images/b.jpg': 'valid/images/b'}
    """
    names = list(names)
    folders = {name: _folder(name) for name in names}
    several = len(set(folders.values())) > 1
    return {name: _clip(name) or (folders[name] if several else "") or _own(name) for name in names}


def _clip(name: str) -> str | None:
    found = _CLIP.match(PurePosixPath(name).name)
    return found[0] if found else None


def _folder(name: str) -> str:
    parts = PurePosixPath(name).parent.parts
    return "/".join(p for p in parts if p.lower() not in KINDS and not split_called(p))


def _own(name: str) -> str:
    path = PurePosixPath(name)
    return (path.parent / path.stem.split(".rf.")[0]).as_posix().removeprefix("images/")
