"""Pair label files that hold one image each with their images, by file name."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from components.data.import_dataset.found import split_called
from components.data.import_dataset.spellings import folded, stem

# Folders that say what kind of file is in them, and nothing of the images.
KINDS = frozenset(
    {"images", "labels", "image", "label", "img", "ann", "annotations", "jpegimages", "xml", "txt",
     "image_2", "label_2", "obj_train_data"}
)  # fmt: skip
Spell = Callable[[str], tuple[str, ...]]


def pair(images: Sequence[str], files: Sequence[str]) -> dict[str, str]:
    """Return the image of each label file.

    Args:
        images: All images.
        files: Files whose names are those of their images, but for folders such as `labels`.

    Returns:
        Images by file; a file that fits none, or several, is left out.
    """
    paired = _paired(images, files, key, several=True)
    tops = _common_folders(images), _common_folders(files)
    for spell in (folded_key, lambda name: folded_key(name)[-1:]):
        taken = set(paired.values())
        found = _paired(
            [_below(image, tops[0]) for image in images if image not in taken],
            [_below(file, tops[1]) for file in files if file not in paired],
            spell,
        )
        paired |= {f"{tops[1]}{f}": f"{tops[0]}{i}" for f, i in found.items() if _related(f, i)}
    return paired


def _paired(
    images: Sequence[str], files: Sequence[str], spell: Spell, several: bool = False
) -> dict[str, str]:
    there, groups = _by(spell, images), _by(spell, files)
    return {
        file: there[spelling][0]
        for spelling, group in groups.items()
        if len(there.get(spelling, ())) == 1 and (several or len(group) == 1)
        for file in group
    }


def _related(file: str, image: str) -> bool:
    """Return whether the folders of a label and an image allow them to belong together."""
    folders = [set(folded_key(name)[:-1]) for name in (file, image)]
    return folders[0] <= folders[1] or folders[1] <= folders[0]


def _common_folders(names: Sequence[str]) -> str:
    """Return the folders that all files lie in, up to the first that names a split."""
    parents = [PurePosixPath(name).parent.parts for name in names]
    common = ""
    for parts in zip(*parents, strict=False):
        if len(set(parts)) > 1 or split_called(parts[0]):
            break
        common += f"{parts[0]}/"
    return common


def _below(name: str, top: str) -> str:
    return name[len(top) :]


def key(name: str) -> tuple[str, ...]:
    """Return the part of the path that an image and its label file have in common.

    >>> key("images/val/a.jpg") == key("Labels/val/a.TXT"), key("test/images/a.png")
    (True, ('test', 'a'))
    """
    parts = PurePosixPath(name).parts
    return (*(p for p in parts[:-1] if p.lower() not in KINDS), PurePosixPath(name).stem)


def folded_key(name: str) -> tuple[str, ...]:
    """Return `key` without differences in case, Unicode normal form or percent encoding."""
    *folders, last = key(name)
    return (*map(folded, folders), folded(unquote(stem(last))))


def _by(spell: Spell, names: Iterable[str]) -> dict[tuple[str, ...], list[str]]:
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in names:
        groups[spell(name)].append(name)
    return groups
