"""CSV: a line a box, in pixels; a line without a box says that its image has none."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from components.contracts.events import Split
from components.import_dataset.folder import Folder
from components.import_dataset.found import (
    Found,
    FoundBox,
    FoundImage,
    Problem,
    UnusableError,
    finite,
    merge,
    split_called,
)

EDGES = ("xmin", "ymin", "xmax", "ymax")
REQUIRED = ("image", *EDGES)
ALIASES = {"filename": "image", "label": "class"}
DEFAULT_CLASS = "car"


def read_csv(folder: Folder) -> Found | None:
    """Read every CSV file directly in a folder that has the columns of boxes.

    Columns are `image, xmin, ymin, xmax, ymax`, and if wanted `class, width, height,
    split, group`, in any order.
    """
    texts = {name: folder.text(name) for name in folder.with_suffix({".csv"}) if "/" not in name}
    tables = {name: text for name, text in texts.items() if set(REQUIRED) <= set(columns(text))}
    if not tables:
        return None
    images: dict[str, list[FoundImage]] = defaultdict(list)
    problems: list[Problem] = []
    for name, text in tables.items():
        for where, line in read_lines(name, text):
            image = folder.image(line.name, beside=name) if line.name else None
            if image:
                images[image].append(line)
            else:
                problems += line.problems or [_no_image(where, line.name)]
    labels = {box.label for lines in images.values() for line in lines for box in line.boxes}
    return Found(
        form=f"CSV {', '.join(tables)}",
        classes=tuple(sorted(labels)),
        images=tuple(merge(image, lines) for image, lines in sorted(images.items())),
        problems=tuple(problems),
    )


def columns(text: str) -> list[str]:
    r"""Return the names of a table's columns, in small letters.

    >>> columns("Filename;xmin\na.jpg;3")
    ['image', 'xmin']
    """
    header = text.split("\n", 1)[0]
    names = [cell.strip(' "').lower() for cell in header.split(_delimiter(header))]
    return [ALIASES.get(name, name) for name in names]


def read_lines(file: str, text: str) -> Iterator[tuple[str, FoundImage]]:
    """Yield file and line, and the image with what that one line says of it.

    A line that cannot be read is an image with a problem; its name is empty if even that
    is unknown. Every line is read by itself, so a stray quote harms no other.
    """
    header, *lines = text.split("\n")
    names, delimiter = columns(text), _delimiter(header)
    for number, line in enumerate(lines, 2):
        if line.strip():
            where = f"{file}:{number}"
            yield where, _read_line(where, names, line, delimiter)


def _read_line(where: str, names: Sequence[str], line: str, delimiter: str) -> FoundImage:
    called = ""
    try:
        cells = _cells(line, delimiter)
        row = dict(zip(names, cells, strict=False))
        called = row.get("image", "")
        if len(cells) != len(names):
            raise UnusableError("unreadable_line", f"{len(cells)} cells, expected {len(names)}")
        return FoundImage(
            name=called,
            boxes=_boxes(where, row),
            split=_split(row.get("split", "")),
            group=row.get("group") or None,
            size=_size(row),
        )
    except UnusableError as error:
        return FoundImage(name=called, problems=(Problem(where, error.reason, str(error)),))


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error as cause:
        raise UnusableError("unreadable_line", str(cause)) from cause


def _boxes(where: str, row: Mapping[str, str]) -> tuple[FoundBox, ...]:
    if not row["image"]:
        raise UnusableError("unreadable_line", "the image column is empty")
    if not any(row[edge] for edge in EDGES):
        return ()
    x_min, y_min, x_max, y_max = (finite(row[edge], edge) for edge in EDGES)
    label = row.get("class", DEFAULT_CLASS)
    if not label:
        raise UnusableError("missing_class", "the class column is empty")
    return (FoundBox(where, (x_min, y_min, x_max, y_max), label),)


def _size(row: Mapping[str, str]) -> tuple[int, int] | None:
    if not (row.get("width") and row.get("height")):
        return None
    return int(finite(row["width"], "width")), int(finite(row["height"], "height"))


def _split(word: str) -> Split | None:
    split = split_called(word)
    if word and split is None:
        raise UnusableError(
            "unreadable_line", f"split is {word!r}, expected train, validation or test"
        )
    return split


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _no_image(where: str, called: str) -> Problem:
    return Problem(where, "image_missing", f"there is no image {called!r}")
