from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.shared.pages.chart import line_chart
from components.shared.pages.fragments import Card, badge, cards, columns, gallery, table, text
from components.shared.pages.page import Section, write_page

GREY = np.full((48, 64, 3), 120, np.uint8)


class References(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in {"src", "href", "xlink:href"}]


@pytest.fixture
def page(tmp_path):
    chart = line_chart([1, 2], {"loss": [2, 1]}, title="Loss")
    fragments = [text("Hello."), columns(chart, chart), gallery([(GREY, "north")])]
    write_page(tmp_path / "new" / "page.html", "Cars & vans", [Section("All", fragments)], "Good.")
    return (tmp_path / "new" / "page.html").read_text()


def test_a_page_names_its_title_and_its_lead(page):
    assert "<h1>Cars &amp; vans</h1>" in page
    assert '<p class="lead">Good.</p>' in page


def test_a_page_needs_nothing_from_elsewhere(page):
    references = References()
    references.feed(page)

    assert references.found
    assert all(found.startswith(("data:", "#")) for found in references.found)
    assert "@import" not in page
    assert "url(http" not in page


def test_no_two_groups_of_a_page_share_an_id(page):
    assert '<g id="' not in page


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=6))
def test_a_page_too_large_for_the_dashboard_leaves_out_its_largest_parts_and_says_so(sizes):
    parts = [text(f"{number}: " + "x" * size) for number, size in enumerate(sizes)]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        write_page(file, "Big", [Section("S", parts)], "The verdict.", most_bytes=40_000)
        page = file.read_text()

    left_out = page.count("This part is left out")
    assert len(page.encode()) <= 40_000
    assert "The verdict." in page
    assert left_out == sum(part not in page for part in parts)
    assert left_out < len(parts) or max(sizes) > 20_000


def test_a_page_that_fits_is_written_whole(tmp_path):
    write_page(tmp_path / "p.html", "T", [Section("S", [text("x" * 10_000)])], most_bytes=40_000)

    assert "left out" not in (tmp_path / "p.html").read_text()


@pytest.mark.parametrize(
    "fragment",
    [
        text("<b>"),
        badge("<b>"),
        cards(Card("<b>", "<b>", "<b>")),
        table(["<b>"], [["<b>"]]),
        gallery([(GREY, '"<b>')]),
    ],
    ids=["text", "badge", "cards", "table", "gallery"],
)
def test_words_are_never_markup(fragment):
    assert "<b>" not in fragment
    assert "&lt;b&gt;" in fragment


def test_a_column_of_numbers_stands_to_the_right_with_its_thousands_separated():
    made = table(["name", "count"], [("a", 12345)])

    assert '<td>a</td><td class="number">12,345</td>' in made


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="has 1 cells, expected 2"):
        table(["name", "count"], [("a",)])


def test_a_thumbnail_is_made_smaller_and_never_larger():
    wide = np.zeros((300, 600, 3), np.uint8)

    assert 'width="320" height="160"' in gallery([(wide, "wide")])
    assert 'width="64" height="48"' in gallery([(GREY, "small")])


def test_a_gallery_that_is_full_says_how_many_more_there_are():
    made = gallery([(GREY, str(number)) for number in range(9)], max_bytes=3000)

    assert f"and {9 - made.count('<img')} more" in made
    assert 0 < made.count("<img") < 9
