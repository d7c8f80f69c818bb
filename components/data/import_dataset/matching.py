"""Match image names in annotations to image files where the spellings differ.

An exact match comes first. A near match is taken only if a single image fits, the image is in
no other split than the annotation's file, and no other name of that file matches it: boxes of
a missing image must not be assigned to another image with a similar name.
"""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from components.data.import_dataset.found import FoundImage, Problem, join, merge, split_in
from components.data.import_dataset.spellings import (
    folded,
    spelling_of,
    spellings,
    stem,
)
from components.shared.contracts.events import Split

MAX_LOST_SHARE = 0.01  # of the lines of a file, up to which those of no image are damaged ones
MIN_ALIKE = 0.8
MAX_HINTED_NAMES = 20_000
MAX_HINTS = 20  # of one file; each is a look at all names


class ImageIndex:
    """The images of a folder by the spellings of their names.

    Args:
        images: Their paths, relative to the folder.
        files: All files of the folder, whose names may tell which splits have annotations.
    """

    def __init__(self, images: Sequence[str], files: Sequence[str] = ()) -> None:
        self.images = frozenset(images)
        splits = {split_in(file) for file in files if file not in self.images}
        self._image_splits = frozenset(map(split_in, images)) - {None}
        self._file_splits = frozenset(splits) - {None}
        self._names: dict[str, list[str]] = defaultdict(list)
        for image in images:
            name = PurePosixPath(image).name
            spellings = {name, folded(name), stem(name), folded(stem(name))}
            for spelling in spellings:
                self._names[spelling].append(image)

    def exact(self, called: str, beside: str) -> str | None:
        """Return the image at a path: beside the annotation's file, in `images` there, or as it is.

        Args:
            called: A path as the annotation spells it.
            beside: The annotation's own file.
        """
        near = PurePosixPath(beside).parent
        for wanted in (called, called.replace("\\", "/")):
            for guess in (near / wanted, near / "images" / wanted, PurePosixPath(wanted)):
                if str(guess) in self.images:
                    return str(guess)
        return None

    def near(self, called: str, beside: str) -> str | None:
        """Return the only image whose name fits, compared by its last folders, or None.

        Args:
            called: Name or path in an annotation.
            beside: The annotation file, whose folder gives the split.
        """
        split = split_in(beside)
        for spelling in spellings(called):
            path = PurePosixPath(spelling)
            for name in (path.name, folded(path.name)):
                fits = [i for i in self._names.get(name, ()) if self._may_mean(split, i)]
                if fits:
                    best = _with_longest_tail(fits, path)
                    return best[0] if len(best) == 1 else None
        return None

    def _may_mean(self, split: Split | None, image: str) -> bool:
        """Return whether an image's folder allows it to be in the split of an annotation file."""
        of_image = split_in(image)
        if split is None or of_image in (None, split):
            return True
        return split not in self._image_splits and of_image not in self._file_splits

    def hint(self, called: str) -> str:
        """Return an image whose name is nearly the same, or an empty text."""
        name = PurePosixPath(spelling_of(called)).name
        if len(self._names) > MAX_HINTED_NAMES:
            return ""
        close = difflib.get_close_matches(name, self._names, 1, cutoff=0.8)
        return self._names[close[0]][0] if close else ""


def place(
    index: ImageIndex, file: str, records: Iterable[tuple[str, FoundImage]]
) -> tuple[dict[str, list[FoundImage]], list[Problem]]:
    """Assign the annotations of one file to the image files that they name.

    Args:
        index: Of the folder's images.
        file: The annotation file.
        records: Where something is told, and the image as the file calls it.

    Returns:
        What is told by image, and a problem for each name that means no image.
    """
    records = list(records)
    lines: dict[str, list[tuple[str, FoundImage]]] = defaultdict(list)
    for where, image in records:
        lines[image.name].append((where, image))
    meant = resolve(index, file, lines)
    placed: dict[str, list[FoundImage]] = defaultdict(list)
    problems: list[Problem] = []
    for number, (called, group) in enumerate(lines.items()):
        if name := meant.get(called):
            placed[name] += [replace(image, name=name) for _, image in group]
            continue
        hint = index.hint(called) if number < MAX_HINTS else ""
        nearly = f"; {hint!r} is nearly its name" if hint else ""
        detail = f"there is no image {called!r}{nearly}"
        problems += [
            problem
            for where, image in group
            for problem in image.problems or (Problem(where, "image_missing", detail),)
        ]
    for name, where in _beside_lost(records, meant).items():
        detail = f"{where} is of no image, and may be of this one"
        lost = Problem(name, "incomplete_label", detail)
        placed[name].append(FoundImage(name=name, problems=(lost,)))
    return placed, problems


def place_all(
    index: ImageIndex, files: Mapping[str, Iterable[tuple[str, FoundImage]]]
) -> tuple[tuple[FoundImage, ...], tuple[Problem, ...]]:
    """Assign the annotations of several files to image files, each image once.

    Args:
        index: Of the folder's images.
        files: What each annotation file tells, as `place` takes it.
    """
    parts: list[Mapping[str, FoundImage]] = []
    problems: list[Problem] = []
    for name, tells in files.items():
        placed, lost = place(index, name, tells)
        parts.append({image: merge(image, same) for image, same in placed.items()})
        problems += lost
    return join(parts), tuple(problems)


def _beside_lost(
    records: Sequence[tuple[str, FoundImage]], meant: Mapping[str, str]
) -> dict[str, str]:
    """Return the images that a line of no image may belong to, and where it is.

    That is the image of the lines before and after it, if these have the same; or, if it is one
    of few such lines, an image beside it whose name is nearly the same.
    """
    names = [meant.get(image.name) for _, image in records]
    lost = [at for at, name in enumerate(names) if name is None]
    runs = [at for at in lost if at == 0 or names[at - 1] is not None]
    few = len(runs) <= max(1, MAX_LOST_SHARE * len(names))
    before, after = _last_of(names), _last_of(names[::-1])[::-1]
    beside: dict[str, str] = {}
    for at in lost:
        name = records[at][1].name
        for image in {before[at], after[at]} - {None}:
            if before[at] == after[at] or (few and _likeness(name, str(image)) > MIN_ALIKE):
                beside[str(image)] = records[at][0]
    return beside


def _likeness(name: str, image: str) -> float:
    """Return how alike the end of a path and the name of an image are, 0 to 1."""
    path = PurePosixPath(image)
    pairs = [(name[-len(one) - 1 :], one) for one in (path.name, path.stem)]
    pairs += [(name, one[-len(name) :]) for one in (path.name, path.stem)]
    return max(difflib.SequenceMatcher(None, *pair).ratio() for pair in pairs)


def _last_of(names: Sequence[str | None]) -> list[str | None]:
    """Return for each place the last name there or before it."""
    last: list[str | None] = [None]
    for name in names:
        last.append(name or last[-1])
    return last[1:]


def resolve(index: ImageIndex, file: str, names: Iterable[str]) -> dict[str, str]:
    """Return the image file for each name of one annotation file, if there is exactly one.

    Args:
        index: The images of the folder.
        file: The annotation file.
        names: Names in it; empty ones are left out.
    """
    names = [name for name in names if name]
    exact = {name: image for name in names if (image := index.exact(name, file))}
    near = {
        name: image for name in names if name not in exact and (image := index.near(name, file))
    }
    claims: dict[str, int] = defaultdict(int)
    for image in (*exact.values(), *near.values()):
        claims[image] += 1
    alone = {name: image for name, image in near.items() if claims[image] == 1}
    return exact | alone


def _with_longest_tail(images: Sequence[str], path: PurePosixPath) -> list[str]:
    lengths: Mapping[str, int] = {image: _tail(PurePosixPath(image), path) for image in images}
    most = max(lengths.values())
    return [image for image, length in lengths.items() if length == most]


def _tail(one: PurePosixPath, other: PurePosixPath) -> int:
    pairs = zip(reversed(one.parent.parts), reversed(other.parent.parts), strict=False)
    length = 0
    for a, b in pairs:
        if folded(a) != folded(b):
            break
        length += 1
    return length
