"""Write a self-contained HTML page: styles, charts and images are inside one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

MAX_PAGE_BYTES = 4_000_000  # limit of the dashboard for an HTML artifact

Fragment = Markup  # a piece of a page, already escaped


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the fragments under it, from `pages.fragments` and `pages.chart`."""

    heading: str
    fragments: Sequence[Fragment]


def shown(value: object) -> object:
    """Return a number formatted for people; other values are unchanged.

    >>> shown(12345), shown(0.123456), shown(1234.5), shown("12345")
    ('12,345', '0.123', '1,234.5', '12345')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3f}"


def environment() -> Environment:
    """Return the Jinja environment of the templates in this folder, with escaping."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["shown"] = shown
    return made


def _without_largest(sections: Sequence[Section], most_bytes: int) -> list[Section]:
    """Replace the largest fragment by a remark; return no section if none is large."""
    instead = Markup(
        '<p class="more">This part is left out: with it the page would have more than '
        "{:,} bytes, which is not shown.</p>"
    ).format(most_bytes)
    parts = [part for section in sections for part in section.fragments]
    largest = max(parts, key=len, default=instead)
    if len(largest) <= len(instead):
        return []
    return [
        Section(it.heading, [instead if part is largest else part for part in it.fragments])
        for it in sections
    ]


def write_page(
    path: str | Path,
    title: str,
    sections: Sequence[Section],
    lead: str = "",
    most_bytes: int = MAX_PAGE_BYTES,
) -> None:
    """Write a self-contained HTML page, for the sandbox of the dashboard and light or dark mode.

    Args:
        path: The file; its folder is created if it is missing.
        title: Title of the page.
        sections: The sections, in order.
        lead: One or two sentences with the result.
        most_bytes: Maximum size in bytes; the default is the limit of the dashboard. In a larger
            page the largest fragments are replaced by a remark.
    """
    template = environment().get_template("page.html.j2")

    def rendered(sections: Sequence[Section]) -> bytes:
        return template.render(title=title, sections=sections, lead=lead).encode()

    page = rendered(sections)
    while len(page) > most_bytes and (smaller := _without_largest(sections, most_bytes)):
        sections = smaller
        page = rendered(sections)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(page)
