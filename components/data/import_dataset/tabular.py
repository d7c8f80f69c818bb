"""Read CSV annotations: a line for each box, in pixels; a line without a box is an empty image."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from components.data.import_dataset.columns import (
    EDGES,
    WITHOUT_HEADER,
    Table,
    first_cell,
    read_table,
    records,
)
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import (
    FoundBox,
    FoundImage,
    ParsedDataset,
    Problem,
    UnusableError,
    join,
    labels_of,
    merge,
    split_called,
    split_in,
)
from components.data.import_dataset.matching import MIN_ALIKE, place
from components.data.import_dataset.text import finite
from components.shared.contracts.errors import UserError
from components.shared.contracts.events import Split

DEFAULT_CLASS = "car"
MAX_SEARCHED_LINES = 100  # of those that cannot be read, for the images that they name
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
THOUSANDS = re.compile(r"[+-]?\d{1,3},\d{3}", re.ASCII)


def read_csv(folder: ImageFolder) -> ParsedDataset | None:
    """Read every CSV file that has the columns of boxes.

    Columns are `image, xmin, ymin, xmax, ymax`, and if wanted `class, width, height,
    split, group`, in any order and in the spellings of `columns.ALIASES`. Splits are those of
    a column, of the files' names if these tell several, or of the images' folders.

    Raises:
        UserError: If a file names images, and none has the columns of boxes.
    """
    texts, problems = folder.texts(folder.with_suffix({".csv", ".tsv"}))
    tables = {name: read_table(text) for name, text in texts.items() if text.strip()}
    used = {name: _checked(name, table) for name, table in tables.items() if table.has_boxes}
    others = {n: t for n, t in tables.items() if not t.has_boxes and t.may_have_boxes}
    left = tuple(f"not read: {_other_columns(name, table)}" for name, table in others.items())
    if not used:
        if left:
            raise UserError(left[0].removeprefix("not read: "))
        return None
    by_name = {name: split_in(name) for name in used}
    several = len({split for split in by_name.values() if split}) > 1
    documents: list[Mapping[str, FoundImage]] = []
    for name, table in used.items():
        lines = list(read_lines(name, texts[name], table))
        placed, lost = place(folder.index, name, [*lines, *_damaged_lines(texts[name], lines)])
        problems += lost
        split = by_name[name] if several else None
        documents.append(
            {image: _with_split(merge(image, s), split) for image, s in placed.items()}
        )
    images = join(documents)
    bare = [name for name, table in used.items() if not table.header]
    return ParsedDataset(
        form=f"CSV {', '.join(used)}",
        classes=labels_of(images),
        images=images,
        problems=tuple(problems),
        notes=left
        + tuple(f"{name} has no header; columns are {', '.join(WITHOUT_HEADER)}" for name in bare),
    )


def _checked(file: str, table: Table) -> Table:
    if misspelt := table.misspelt():
        raise UserError(
            f"{file} has a column {misspelt[0]!r}, which is nearly {misspelt[1]!r}, expected that "
            "name or one less like it"
        )
    return table


def read_lines(
    file: str, text: str, table: Table | None = None
) -> Iterator[tuple[str, FoundImage]]:
    """Yield file and line number, and the image with the annotation of that line.

    A line that cannot be read is an image with a problem; its name is empty if even that
    is unknown.

    Args:
        file: Name of the CSV file.
        text: Its content.
        table: Its columns; None if it has no boxes.

    Raises:
        UserError: If decimal commas cannot be told from those of thousands.
    """
    table = table or read_table(text)
    lines = text.split("\n")
    read = list(records(text, table))
    comma = table.delimiter != "," and _has_decimal_commas(file, table, [row for _, row in read])
    for number, cells in read:
        where = f"{file}:{number}"
        if isinstance(cells, str):
            problem = Problem(where, "unreadable_line", cells)
            yield where, FoundImage(name=first_cell(lines[number - 1], table), problems=(problem,))
        else:
            yield where, _read_line(where, table, cells, comma)


def _damaged_lines(
    text: str, lines: Sequence[tuple[str, FoundImage]]
) -> list[tuple[str, FoundImage]]:
    """Repeat the problem of a line for other images that it may be of.

    These are all that it names, as a lost line break makes it, and those of the lines beside it
    with whose name it nearly begins.
    """
    rows = text.split("\n")
    good = [image.name if not image.problems else "" for _, image in lines]
    bad = [at for at, (_, image) in enumerate(lines) if image.problems][:MAX_SEARCHED_LINES]
    damaged = []
    for at in bad:
        where, image = lines[at]
        row = rows[int(where.rsplit(":", 1)[1]) - 1]
        beside = {name for name in good[max(0, at - 1) : at + 2] if _nearly_begins(row, name)}
        named = {name for name in {*good} - {""} if name in row}
        damaged += [
            (where, FoundImage(name=name, problems=image.problems))
            for name in (beside | named) - {image.name}
        ]
    return damaged


def _nearly_begins(row: str, name: str) -> bool:
    begin = row[: len(name) + 1].strip()
    alike = SequenceMatcher(None, begin, name).ratio() > MIN_ALIKE
    return bool(name) and (alike or (bool(begin) and name.startswith(begin)))


def _read_line(where: str, table: Table, cells: Sequence[str], comma: bool) -> FoundImage:
    row = dict(zip(table.names, cells, strict=False))
    called = row.get("image", "")
    if comma:
        row |= {k: row[k].replace(",", ".") for k in (*EDGES, "width", "height") if row.get(k)}
    try:
        if len(cells) != len(table.names):
            raise UnusableError(
                "unreadable_line", f"{len(cells)} cells, expected {len(table.names)}"
            )
        return FoundImage(
            name=called,
            boxes=_boxes(where, row, table.relative),
            split=_split(row.get("split", "")),
            group=row.get("group") or None,
            size=_size(row),
        )
    except UnusableError as error:
        return FoundImage(name=called, problems=(Problem(where, error.reason, str(error)),))


def _boxes(where: str, row: Mapping[str, str], relative: bool) -> tuple[FoundBox, ...]:
    if not row["image"]:
        raise UnusableError("unreadable_line", "the image column is empty")
    if not any(row[edge] for edge in EDGES):
        return ()
    x_min, y_min, x_max, y_max = (finite(row[edge], edge) for edge in EDGES)
    label = row.get("class", DEFAULT_CLASS)
    if not label:
        raise UnusableError("missing_class", "the class column is empty")
    if row.get("crowd", "0") not in ("", "0"):
        raise UnusableError("crowd", "one box surrounds several objects")
    return (FoundBox(where, (x_min, y_min, x_max, y_max), label, relative),)


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


def _with_split(image: FoundImage, of_file: Split | None) -> FoundImage:
    return replace(image, split=image.split or of_file or split_in(image.name))


def _has_decimal_commas(file: str, table: Table, rows: Sequence[Sequence[str] | str]) -> bool:
    places = [table.names.index(edge) for edge in EDGES if edge in table.names]
    cells = [row[at] for row in rows if not isinstance(row, str) for at in places if at < len(row)]
    commas = [cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)]
    if commas and all(THOUSANDS.fullmatch(cell) for cell in commas):
        raise UserError(
            f"{file} has numbers such as {commas[0]}, which may be of thousands or decimals, "
            "expected a decimal point"
        )
    return bool(commas)


def _other_columns(file: str, table: Table) -> str:
    columns = ", ".join(table.spelled)[:200]
    return (
        f"{file} has the columns {columns}, expected image, {', '.join(EDGES)}, and if wanted "
        "class, width, height, split, group"
    )
