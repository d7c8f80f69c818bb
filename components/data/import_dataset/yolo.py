"""Read YOLO labels: a text file for each image, a line for each box, as fractions of the image."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import (
    FoundBox,
    FoundImage,
    ParsedDataset,
    Problem,
    UnusableError,
    join,
    read_boxes,
    split_in,
)
from components.data.import_dataset.kitti import is_kitti
from components.data.import_dataset.pairing import key, pair
from components.data.import_dataset.settings import (
    FormatSettings,
    is_name_list,
    read_names,
    read_settings,
)
from components.data.import_dataset.splits import is_list
from components.data.import_dataset.text import NUMBER, finite, shown
from components.data.import_dataset.yolo_survey import Columns, survey
from components.shared.contracts.errors import UserError

DEFAULT_CLASS = "car"
NO_IMAGE = "there is no image of this name, or several"
Edges = tuple[float, float, float, float]


def read_yolo(folder: ImageFolder) -> ParsedDataset | None:
    """Read text files in folders called `labels`, or whose names are those of images.

    A label belongs to the image with its name, where `labels` stands for `images`. An
    empty file says that nothing is in the image; an image without a file was never looked
    at, and is no background.

    Raises:
        UserError: If all labels share a fault, no names of classes can be told, or all labels are
            of other images.
    """
    texts, problems = folder.texts(n for n in folder.with_suffix({".txt"}) if not is_name_list(n))
    images = {key(image) for image in folder.images}
    texts = {name: text for name, text in texts.items() if _is_label(name, text, images)}
    paired = pair(folder.images, list(texts))
    if texts and not paired:
        raise _unpaired(folder, texts)
    if not paired:
        return None
    settings = read_settings(folder)
    file, named = read_names(folder, settings)
    lines = [line.split() for name in paired for line in texts[name].split("\n") if line.strip()]
    columns, notes = survey(lines, file, named, _keypoints(settings))
    names = named or names_for(lines)
    read = [read_image(image, name, texts[name], names, columns) for name, image in paired.items()]
    lost = [name for name in texts if name not in paired]
    return ParsedDataset(
        form="YOLO labels" if named else f"YOLO labels without a data.yaml (all {DEFAULT_CLASS})",
        classes=tuple(dict.fromkeys(names)),
        images=join([{image.name: image} for image in read]),
        problems=(*problems, *(Problem(name, "image_missing", NO_IMAGE) for name in lost)),
        notes=notes,
    )


def _unpaired(folder: ImageFolder, texts: Iterable[str]) -> UserError:
    names = sorted(texts)
    return UserError(
        f"{len(names):,} YOLO labels have the name of no image: the first are "
        f"{shown(names[0])} and {shown(folder.images[0])}, expected the same name"
    )


def names_for(lines: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Return default class names where no file gives any; possible for a single class only.

    Raises:
        UserError: If there are several.
    """
    used = {values[0] for values in lines}
    if used - {"0"}:
        counted = "; do they count from 1?" if used == {"1"} else ""
        raise UserError(
            f"YOLO labels use classes {', '.join(sorted(used)[:9])}, "
            f"expected a data.yaml with their names{counted}"
        )
    return (DEFAULT_CLASS,)


def read_image(
    image: str,
    file: str,
    text: str,
    names: Sequence[str],
    columns: Columns = Columns(),  # noqa: B008 (it is frozen)
) -> FoundImage:
    """Read the label of one image.

    Args:
        image: The image's name.
        file: The label's name.
        text: The label.
        names: Names of the classes, by index.
        columns: Columns of all labels after the box.
    """
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    confidence = columns.confidence and {len(line.split()) for _, line in lines} == {6}
    columns = replace(columns, confidence=confidence)

    def read(where: str, line: str) -> FoundBox:
        return FoundBox(where, *read_line(line, names, columns), relative=True)

    boxes, problems = read_boxes([(f"{file}:{n}", line) for n, line in lines], read)
    return FoundImage(name=image, boxes=boxes, split=split_in(image), problems=problems)


def read_line(
    line: str,
    names: Sequence[str],
    columns: Columns = Columns(),  # noqa: B008 (it is frozen)
) -> tuple[Edges, str]:
    """Return the edges of a box as fractions, and its class.

    A line with more than two corners is an outline, whose box is what surrounds it.

    Args:
        line: A line of a label file.
        names: Class names by index.
        columns: Columns after class and box.

    Raises:
        UnusableError: `unreadable_line`, `missing_class` or `unknown_class`.

    >>> read_line("1 0.5 0.5 0.5 0.25", ["bus", "car"])
    ((0.25, 0.375, 0.75, 0.625), 'car')
    >>> read_line("0 .1 .2 .3 .2 .3 .4", ["bus"])
    ((0.1, 0.2, 0.3, 0.4), 'bus')
    """
    values = line.split()
    if len(values) == 4:
        raise UnusableError("missing_class", "4 values, expected a class before them")
    if len(values) == 6 and not columns.confidence:
        raise UnusableError(
            "unreadable_line", "6 values, expected class and box, or a confidence in each line"
        )
    behind = len(values) in (6, 5 + columns.keypoint_values)
    outline = columns.outlines and not columns.keypoint_values and len(values) % 2 == 1
    if len(values) < 5 or not (behind or outline):
        expected = f" and {columns.keypoint_values} of keypoints" if columns.keypoint_values else ""
        raise UnusableError(
            "unreadable_line", f"{len(values)} values, expected class and box{expected}"
        )
    index, *numbers = (finite(value, "a value") for value in values)
    if index != int(index) or not 0 <= index < len(names):
        raise UnusableError("unknown_class", f"class {values[0]}, expected 0 to {len(names) - 1}")
    return _edges(numbers[:4] if behind else numbers), names[int(index)]


def _edges(numbers: Sequence[float]) -> Edges:
    if len(numbers) == 4:
        x, y, width, height = numbers
        if width <= 0 or height <= 0:
            raise UnusableError("box_without_area", f"size is {width:g} x {height:g}, expected > 0")
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def _is_label(name: str, text: str, images: set[tuple[str, ...]]) -> bool:
    """Return whether a text is the label of an image, if only of one that is not there."""
    if is_list(name, text):
        return False
    folders = {part.lower() for part in PurePosixPath(name).parts[:-1]}
    may_be = "labels" in folders or key(name) in images
    return not is_kitti(text) and (may_be or (bool(text.strip()) and _is_yolo(text)))


def _is_yolo(text: str) -> bool:
    """Return whether most lines are a class and at least four numbers, or there is no line."""
    lines = [line.split() for line in text.split("\n") if line.strip()]
    fits = [v for v in lines if len(v) >= 5 and all(map(NUMBER.fullmatch, v[1:]))]
    return 2 * len(fits) >= len(lines) and not is_kitti(text)


def _keypoints(settings: Iterable[FormatSettings]) -> tuple[int, int]:
    return next((s.keypoints for s in settings if s.keypoints != (0, 0)), (0, 0))
