import re
from xml.etree import ElementTree

import numpy as np
import pytest

from components.shared.pages.chart import bar_chart, heatmap, histogram, line_chart, pr_curve

LONG = "camera " * 40
CHARTS = {
    "line": lambda: line_chart([1, 2, 3], {"a": [3, np.nan, 1], "b": [1, 1, 1]}, title="T & t"),
    "one point": lambda: line_chart([1], {"a": [3]}, title="T & t"),
    "bars": lambda: bar_chart(["$x$", "_y"], {"a": [1, 2], "b": [0, 0]}, title="T & t"),
    "histogram": lambda: histogram({"a": [1, 2, 2], "b": []}, title="T & t"),
    "one value": lambda: histogram({"a": [5, 5]}, title="T & t", log_x=True),
    "heatmap": lambda: heatmap([[1, 0], [0, 0]], ["a", "b"], ["c", "d"], title="T & t"),
    "curve": lambda: pr_curve({"a": ([0, 1], [1, 0.5])}, title="T & t"),
    "long names": lambda: bar_chart([LONG, f"{LONG}2"], {"a": [1, 2]}, title="T & t"),
    "long columns": lambda: heatmap(np.eye(9), [LONG] * 9, [LONG] * 9, title="T & t"),
}
EMPTY = {
    "line": lambda: line_chart([], {}, title="T"),
    "bars": lambda: bar_chart([], {}, title="T"),
    "histogram": lambda: histogram({"a": []}, title="T"),
    "curve": lambda: pr_curve({}, title="T"),
}


@pytest.mark.parametrize("draw", CHARTS.values(), ids=CHARTS)
def test_a_chart_is_one_well_formed_drawing_under_its_title(draw):
    figure = ElementTree.fromstring(draw())

    assert figure.find("figcaption").text == "T & t"
    assert sum(child.tag.endswith("svg") for child in figure) == 1


@pytest.mark.parametrize("draw", CHARTS.values(), ids=CHARTS)
def test_a_chart_has_no_colour_but_the_page_s(draw):
    assert not set(re.findall(r"#[0-9a-f]{6}\b", draw())) - {"#ffffff", "#000000"}


@pytest.mark.parametrize("draw", CHARTS.values(), ids=CHARTS)
def test_a_chart_is_the_same_each_time(draw):
    assert draw() == draw()


@pytest.mark.parametrize("draw", EMPTY.values(), ids=EMPTY)
def test_nothing_to_draw_is_said(draw):
    assert "No data." in draw()
