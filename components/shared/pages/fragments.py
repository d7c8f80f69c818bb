"""HTML fragments of a page, already escaped: text, cards, tables and galleries."""

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from components.shared.pages.page import environment

MAX_NAME_CHARACTERS = 30  # of a category, row or column label in a chart

Tone = Literal["", "good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Card:
    """One key number: label, value, and an optional note."""

    label: str
    value: str | int | float
    note: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class _Thumbnail:
    uri: str
    width: int
    height: int
    caption: str


def sentence(words: str) -> str:
    """Return words as a sentence with a capital and a full stop; names such as mAP stay.

    >>> sentence("there is no champion yet"), sentence("mAP50 is 0.9."), sentence("f9b8 answers")
    ('There is no champion yet.', 'mAP50 is 0.9.', 'f9b8 answers.')
    """
    first = words.split(maxsplit=1)[0].rstrip(".,:;")
    begin = words[0].upper() if first.islower() and first.isalpha() else words[0]
    return f"{begin}{words[1:].rstrip('.')}."


def short_name(name: str) -> str:
    """Return a name, shortened in the middle to at most 30 characters.

    >>> short_name("a" * 40), short_name("car")
    ('aaaaaaaaaaaaaaaaaaa…aaaaaaaaaa', 'car')
    """
    if len(name) <= MAX_NAME_CHARACTERS:
        return name
    end = MAX_NAME_CHARACTERS // 3
    return f"{name[: MAX_NAME_CHARACTERS - end - 1]}…{name[-end:]}"


def text(*paragraphs: str) -> Markup:
    """Return paragraphs."""
    return _fragment("text", paragraphs)


def badge(words: str, tone: Tone = "") -> Markup:
    """Return a badge of one or two words, for a cell of a table.

    Args:
        words: The text.
        tone: Colour: good, warn, bad or none.
    """
    return _fragment("badge", words, tone)


def boxes_text(count: int) -> str:
    """Return a number of boxes as text.

    >>> boxes_text(1), boxes_text(1234)
    ('1 box', '1,234 boxes')
    """
    return "1 box" if count == 1 else f"{count:,} boxes"


def breakable(word: str) -> Markup:
    """Return a long word, such as a digest, that may wrap after each 16 characters.

    >>> breakable("0123456789abcdef0123")
    Markup('0123456789abcdef<wbr>0123')
    """
    return Markup("<wbr>").join(word[at : at + 16] for at in range(0, len(word), 16))


def cards(*cards: Card) -> Markup:
    """Return key numbers side by side."""
    return _fragment("cards", cards)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """Return a table; columns of numbers are right-aligned, with thousands separators.

    Args:
        columns: Headings.
        rows: Cells of text, numbers or markup, as many as there are headings.

    Raises:
        ValueError: If a row is longer or shorter than the headings.
    """
    rows = [tuple(row) for row in rows]
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"row {row} has {len(row)} cells, expected {len(columns)}")
    numeric = [any(_is_number(row[place]) for row in rows) for place in range(len(columns))]
    return _fragment("table", columns, rows, numeric)


def columns(*fragments: Markup) -> Markup:
    """Return fragments side by side where there is room, else one below the other."""
    return _fragment("columns", fragments)


def gallery(
    items: Iterable[tuple[NDArray[np.uint8], str]], width: int = 320, max_bytes: int = 900_000
) -> Markup:
    """Return thumbnails with captions, as many as fit, and the number of the others.

    Args:
        items: RGB images, uint8 `[height, width, 3]`, with captions, the best first.
        width: Width of a thumbnail, in pixels; a smaller image is not enlarged.
        max_bytes: Maximum size of all thumbnails, in bytes.
    """
    shown: list[_Thumbnail] = []
    spent = left_out = 0
    for image, caption in items:
        thumbnail = None if left_out else _thumbnail(image, caption, width)
        if thumbnail is None or spent + len(thumbnail.uri) > max_bytes:
            left_out += 1
        else:
            shown.append(thumbnail)
            spent += len(thumbnail.uri)
    return _fragment("gallery", shown, left_out)


def chart_figure(title: str, drawing: Markup) -> Markup:
    """Return a chart with its title.

    Args:
        title: Title of the chart.
        drawing: The inline SVG.
    """
    return _fragment("chart", title, drawing)


def enclosed(title: str, page: str, note: str = "") -> Markup:
    """Return another whole page, collapsed under its title.

    Args:
        title: Title of the page.
        page: Its HTML, shown in a sandboxed frame.
        note: A few words beside the title.
    """
    return _fragment("enclosed", title, note, page)


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) or str(cell).endswith("%")


def _thumbnail(image: NDArray[np.uint8], caption: str, width: int) -> _Thumbnail:
    picture = Image.fromarray(image)
    if picture.width > width:
        height = max(1, round(picture.height * width / picture.width))
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return _Thumbnail(f"data:image/jpeg;base64,{encoded}", *picture.size, caption)


def _fragment(name: str, *arguments: object) -> Markup:
    return Markup(getattr(_macros(), name)(*arguments))


@cache
def _macros() -> Any:
    return environment().get_template("fragments.html.j2").module
