"""Read the owner's splits from lists of image paths, or from the folders of a `data.yaml`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import FoundImage, Problem, split_in
from components.data.import_dataset.matching import resolve
from components.data.import_dataset.settings import FormatSettings, is_name_list
from components.data.import_dataset.spellings import IMAGES, OTHER_IMAGES
from components.shared.contracts.events import SPLITS, Split

SETS = "ImageSets/"  # the folder of Pascal VOC's lists, whose lines have no ending
LINES_READ = 20  # to see whether a text is a list of paths


@dataclass(frozen=True, slots=True)
class ToldSplits:
    """Splits that lists of images and a `data.yaml` give.

    Attributes:
        listed: All splits whose lists an image is in.
        below: The split of the folder that an image lies in.
        problems: Lines of lists that name no image.
        notes: Notes on the splits for the user.
    """

    listed: Mapping[str, frozenset[Split]]
    below: Mapping[str, Split]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def read_splits(folder: ImageFolder, settings: Iterable[FormatSettings]) -> ToldSplits:
    """Read every list of image paths, and every path of a `data.yaml`.

    Args:
        folder: Folder of the images.
        settings: Settings files of the folder.
    """
    places, notes = _all_places(folder, settings)
    texts, problems = folder.texts(
        name for name in folder.with_suffix({".txt"}) if not is_name_list(name)
    )
    listed: dict[str, set[Split]] = defaultdict(set)
    for name in filter(lambda name: is_list(name, texts[name]), texts):
        split = next((s for place, s in places if place == name), None) or split_in(name)
        if split:
            images, missing = read_list(folder, name, texts[name])
            problems += missing
            for image in images:
                listed[image].add(split)
    below = {
        image: split
        for place, split in sorted(places, key=lambda place: len(place[0]))
        for image in folder.images
        if image.startswith(f"{place}/") or not place
    }
    by_image = {image: frozenset(splits) for image, splits in listed.items()}
    return ToldSplits(by_image, below, tuple(problems), tuple(notes))


def with_splits(images: Sequence[FoundImage], splits: ToldSplits) -> tuple[FoundImage, ...]:
    """Return images with the splits of lists and folders; an image with two splits is refused.

    Args:
        images: Images of the dataset.
        splits: Splits from lists and settings.
    """
    return tuple(_with_split(image, splits) for image in images)


def sentence_of(images: Iterable[FoundImage]) -> str:
    """Return the number of images of each split of the owner as a sentence; empty if none.

    >>> sentence_of([FoundImage(name="a", split="train"), FoundImage(name="b", split="test")])
    'splits of the owner: 1 train, 1 test; validation will be taken from train'
    """
    counts = Counter(image.split for image in images)
    named = [split for split in SPLITS if counts[split]]
    if not named:
        return ""
    sentence = ", ".join(f"{counts[split]:,} {split}" for split in named)
    none = f"; {counts[None]:,} images are in none of them" if counts[None] else ""
    empty = [split for split in SPLITS[1:] if not counts[split]]
    filled = f"; {' and '.join(empty)} will be taken from train" if empty else ""
    return f"splits of the owner: {sentence}{none}{filled}"


def is_list(name: str, text: str) -> bool:
    r"""Return whether a text is a list of image paths, one path a line.

    Args:
        name: Name of the file.
        text: Content of the file.

    >>> is_list("train.txt", "./images/a.jpg\nb.JPG\n"), is_list("a.txt", "0 .5 .5 .5 .5")
    (True, False)
    """
    lines = [line for line in text.split("\n") if line.strip()][:LINES_READ]
    if SETS in name:
        return bool(lines) and all(len(line.split()) == 1 for line in lines)
    endings = {PurePosixPath(line.strip()).suffix.lower() for line in lines}
    return bool(endings) and endings <= IMAGES | OTHER_IMAGES


def read_list(folder: ImageFolder, file: str, text: str) -> tuple[list[str], list[Problem]]:
    """Return the images of a list, and a problem for each line that matches no image.

    Args:
        folder: Folder of the images.
        file: Name of the list.
        text: Content of the file.
    """
    lines = {line: n for n, line in enumerate(text.split("\n"), 1) if line.strip()}
    called = {line: line.strip().removeprefix("./") for line in lines}
    meant = resolve(folder.index, file, called.values())
    missing = [
        Problem(f"{file}:{lines[line]}", "image_missing", f"there is no image {name!r}")
        for line, name in called.items()
        if name not in meant
    ]
    return sorted(set(meant.values())), missing


def _with_split(image: FoundImage, known: ToldSplits) -> FoundImage:
    listed = known.listed.get(image.name, frozenset())
    own = image.split if image.split != split_in(image.name) else None
    splits = listed | {own} if own and listed else listed
    if len(splits) > 1:
        detail = f"it is listed in {' and '.join(sorted(map(str, splits)))}, expected one split"
        problem = Problem(image.name, "conflicting_split", detail)
        return replace(image, problems=(*image.problems, problem))
    split = next(iter(listed), None) or own or known.below.get(image.name) or image.split
    return replace(image, split=split)


def _all_places(
    folder: ImageFolder, settings: Iterable[FormatSettings]
) -> tuple[list[tuple[str, Split]], list[str]]:
    """Return the folders and lists that settings give, by split, and notes of what is not there."""
    places: list[tuple[str, Split]] = []
    notes: list[str] = []
    there = {str(parent) for name in folder.files for parent in PurePosixPath(name).parents}
    by_case = {name.casefold(): name for name in sorted({*folder.files, *there}, reverse=True)}
    for setting in settings:
        found = [
            (_resolved(by_case, setting, path), split, path)
            for split, paths in setting.paths.items()
            for path in paths
        ]
        if missing := [path for place, _, path in found if place is None]:
            notes.append(f"{setting.file} names {' and '.join(missing)}, which are not there")
        sides = {(place, split) for place, split, _ in found if place is not None}
        twice = {place for place, times in Counter(p for p, _ in sides).items() if times > 1}
        notes += [
            f"{setting.file} gives {place or 'the whole folder'} to several splits, so it says "
            "nothing of them"
            for place in sorted(twice)
        ]
        places += sorted((place, split) for place, split in sides if place not in twice)
    return places, notes


def _resolved(by_case: Mapping[str, str], setting: FormatSettings, path: str) -> str | None:
    """Return the file or folder that a path means here, where it may be of another machine."""
    near = PurePosixPath(setting.file).parent.parts
    parts, base = _parts(path), _parts(setting.base)
    guesses = [(*near, *base, *parts), (*near, *parts), (*base, *parts), parts]
    if path.strip()[:1] in "/\\" or ":" in path[:3]:
        guesses += [parts[start:] for start in range(1, len(parts))]
    for guess in guesses:
        found = by_case.get("/".join(guess).casefold() or ".")
        if found is not None:
            return "" if found == "." else found
    return None


def _parts(path: str) -> tuple[str, ...]:
    parts = path.strip().replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", ".", "..") and part[1:] != ":")
