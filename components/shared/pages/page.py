"""Write a self-contained HTML page: styles, charts and images are inside one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

MOST_BYTES = 4_000_000  # what the dashboard shows of an HTML artifact

Fragment = Markup  # a piece of a page, already escaped


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, as `pages.fragments` and `pages.chart` make it."""

    heading: str
    fragments: Sequence[Fragment]


def shown(value: object) -> object:
    """Return a value as people read it; what is not a number stays as it is.

    >>> shown(12345), shown(0.123456), shown(1234.5), shown("12345")
    ('12,345', '0.123', '1,234.5', '12345')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3f}"


def environment() -> Environment:
    """Return what renders this room's templates; all that is not markup is escaped."""
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
    """Return sections whose largest part says that it is left out; none if there is no such."""
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
    most_bytes: int = MOST_BYTES,
) -> None:
    """Write a page that reads well alone, in the dashboard's sandbox, by day and by night.

    Args:
        path: The file; its folder is made if it is missing.
        title: The page's name.
        sections: What it holds, in order.
        lead: One or two sentences that say the result.
        most_bytes: What it may take; the default is what the dashboard shows. Of a page that
            is larger the largest parts are left out, and it says so in their places.
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
