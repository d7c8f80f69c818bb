"""Recognise columns of CSV annotations by the names that tools use, and split lines into cells."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import PurePosixPath

from components.data.import_dataset.spellings import IMAGES, OTHER_IMAGES
from components.data.import_dataset.text import NUMBER

EDGES = ("xmin", "ymin", "xmax", "ymax")
REQUIRED = ("image", *EDGES)
ALIASES = {
    "image": ("filename", "imagename", "imageid", "imagepath", "filepath", "file", "path", "img"),
    "class": ("label", "labelname", "classname", "category", "categoryname"),
    "split": ("subset", "set"),
    "xmin": ("x1", "left", "bboxxmin", "bboxx1", "boxxmin"),
    "ymin": ("y1", "top", "bboxymin", "bboxy1", "boxymin"),
    "xmax": ("x2", "right", "bboxxmax", "bboxx2", "boxxmax"),
    "ymax": ("y2", "bottom", "bboxymax", "bboxy2", "boxymax"),
    "crowd": ("isgroupof",),
}
OPEN_IMAGES = {"imageid", "labelname", "isgroupof"}
OPTIONAL = ("class", "label", "width", "height", "split", "group")
WITHOUT_HEADER = ("image", *EDGES, "class")  # as keras-retinanet has it
NEARLY = 0.85  # likeness of a misspelt column, 0 to 1
LINES_READ = 50  # to see whether a file without a header is one of boxes
NONE_READ = re.compile(r"[^a-z0-9]")


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file's columns.

    Attributes:
        names: Canonical names such as `xmin`, in their order; others as they are.
        spelled: The header as it stands.
        delimiter: Between cells.
        header: Lines before the first line of data, those without a cell included.
        relative: Edges are fractions of the image.
    """

    names: tuple[str, ...]
    spelled: tuple[str, ...]
    delimiter: str
    header: int = 1
    relative: bool = False

    @property
    def has_boxes(self) -> bool:
        """Whether all columns of boxes are there, each once."""
        return all(self.names.count(name) == 1 for name in REQUIRED)

    def misspelt(self) -> tuple[str, str] | None:
        """Return the first unused column whose name is nearly that of a known one."""
        missing = [name for name in OPTIONAL if name not in self.names]
        if "class" in self.names:
            missing.remove("label")
        for name, spelled in zip(self.names, self.spelled, strict=True):
            close = get_close_matches(name, missing, 1, cutoff=NEARLY)
            if close and name not in (*EDGES, *OPTIONAL, "image", "crowd"):
                return spelled, close[0]
        return None

    @property
    def may_have_boxes(self) -> bool:
        """Whether the file names images, so that skipping it is worth a note."""
        return "image" in self.names


def read_table(text: str) -> Table:
    r"""Read the header of a CSV file, or infer the columns from its first lines if it has none.

    >>> read_table("Filename;X_Min\na.jpg;3").names
    ('image', 'xmin')
    >>> read_table("a.jpg,1,2,3,4,car\n").header
    0
    """
    lines = text.split("\n")
    # Excel writes the delimiter into a line of its own.
    begin = next((n for n, line in enumerate(lines) if line.strip() and line[:4] != "sep="), 0)
    header = lines[begin]
    delimiter = max(",;\t|", key=header.count)
    spelled = tuple(cell.strip(' "') for cell in header.split(delimiter))
    if len(spelled) == len(WITHOUT_HEADER) and _is_data(lines[begin:], delimiter):
        return Table(WITHOUT_HEADER, spelled, delimiter, header=begin)
    plain = [NONE_READ.sub("", cell.lower()) for cell in spelled]
    return Table(
        names=tuple(_canonical(name, plain) for name in plain),
        spelled=spelled,
        delimiter=delimiter,
        header=begin + 1,
        relative=set(plain) >= OPEN_IMAGES,
    )


def records(text: str, table: Table) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the number of each record's last line, and its cells or why they cannot be read.

    Quoted line breaks are read if the whole file is well-formed; otherwise every line is read
    by itself, so that a stray quote harms no other line.

    Args:
        text: Content of the CSV file.
        table: Its columns.
    """
    whole = _whole(text, table)
    if whole is not None:
        yield from whole
        return
    for number, line in islice(enumerate(text.split("\n"), 1), table.header, None):
        if line.strip():
            yield number, _cells(line, table.delimiter)


def first_cell(line: str, table: Table) -> str:
    """Return the image name at the start of a line whose cells cannot be read.

    Args:
        line: A line without readable cells.
        table: Its columns.
    """
    cells = line.split(table.delimiter)
    at = table.names.index("image")
    return cells[at].strip(' "') if at < len(cells) else ""


def _canonical(name: str, names: Sequence[str]) -> str:
    for canonical, aliases in ALIASES.items():
        if name == canonical:
            return name
        known = [alias for alias in aliases if alias in names]
        if canonical not in names and known and name == known[0]:
            return canonical
    return name


def _whole(text: str, table: Table) -> list[tuple[int, list[str]]] | None:
    if '"' not in text:
        return None
    lines = (f"{line}\n" for line in text.split("\n"))
    reader = csv.reader(lines, delimiter=table.delimiter, strict=True)
    try:
        read = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error:
        return None
    data = [(number, cells) for number, cells in read[table.header :] if cells not in ([], [""])]
    return data if all(len(cells) == len(table.names) for _, cells in data) else None


def _cells(line: str, delimiter: str) -> list[str] | str:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error as cause:
        return str(cause)


def _is_data(text: Sequence[str], delimiter: str) -> bool:
    """Return whether the first lines are an image, four numbers or blanks, and a class."""
    lines = [line.split(delimiter) for line in text[:LINES_READ] if line.strip()]
    return all(
        len(cells) == len(WITHOUT_HEADER)
        and PurePosixPath(cells[0].strip(' "')).suffix.lower() in IMAGES | OTHER_IMAGES
        and all(not cell.strip() or NUMBER.fullmatch(cell.strip()) for cell in cells[1:5])
        for cells in lines
    )
