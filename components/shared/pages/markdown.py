"""Markdown tables with escaping, for dashboard artifacts and model cards."""

from collections.abc import Iterable, Sequence

MARKS = "&<>|[]*`\\"  # characters with a meaning in Markdown or HTML, even inside a word


def markdown_table(
    head: Sequence[object], rows: Iterable[Sequence[object]], numbers: bool = False
) -> str:
    """Return a Markdown table.

    Args:
        head: Headings.
        rows: Cells of each row, escaped by `plain`.
        numbers: Whether all columns but the first are right-aligned.

    >>> print(markdown_table(["", "now"], [["boxes", 1234]], numbers=True))
    |  | now |
    | --- | ---: |
    | boxes | 1,234 |
    """
    ruled = ["---"] + ["---:" if numbers else "---"] * (len(head) - 1)
    lines = [map(plain, head), ruled, *(map(plain, row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(value: object) -> str:
    """Return a name or number as text without special characters of Markdown and HTML.

    >>> plain("<b>|4*"), plain(1234), plain(True)
    ('&#60;b&#62;&#124;4&#42;', '1,234', 'True')
    """
    counted = isinstance(value, int) and not isinstance(value, bool)
    text = f"{value:,}" if counted else str(value)
    return "".join(f"&#{ord(sign)};" if sign in MARKS else sign for sign in " ".join(text.split()))
