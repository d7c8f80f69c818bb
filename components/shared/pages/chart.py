"""Draw charts as inline SVG that follows the colours of the page, light or dark.

Matplotlib draws with the colours of `INKS`; each is replaced by a variable of the page's
style sheet. The series colours are those of Okabe and Ito, told apart by colour-blind
people too, and lines differ in their dashes as well.
"""

import io
import re
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from components.shared.pages.chart_style import (
    INK,
    INKS,
    SERIES,
    SOFT,
    STYLE,
    SURFACE,
    styled,
)
from components.shared.pages.fragments import chart_figure, short_name, text


def line_chart(
    x: ArrayLike,
    series: Mapping[str, ArrayLike],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    y_range: tuple[float, float] | None = None,
) -> Markup:
    """Draw series over one axis, such as losses over epochs.

    Args:
        x: `[N]` places, shared by all series.
        series: Name to `[N]` values; a NaN is a gap.
        title: Title of the chart.
        x_label: Quantity and unit.
        y_label: Quantity and unit.
        y_range: Fixes the vertical axis.
    """
    places = np.asarray(x, float)
    if not places.size or not series:
        return _nothing(title)
    figure, axes = _canvas(axis="y")
    for name, values, colour, dash in styled(series):
        marker = "o" if places.size == 1 else ""
        axes.plot(places, values, marker=marker, ls=dash, c=colour, label=name)
    axes.set(xlabel=x_label, ylabel=y_label, ylim=y_range)
    # Counts, such as epochs or requests, have no ticks between two whole numbers.
    for axis, numbers in ((axes.xaxis, [x]), (axes.yaxis, series.values())):
        if not any(np.any(np.mod(np.asarray(each, float), 1)) for each in numbers):
            axis.set_major_locator(MaxNLocator("auto", integer=True))
    return _drawn(figure, axes, title, names=len(series))


def bar_chart(
    categories: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    title: str,
    x_label: str = "",
    stacked: bool = False,
) -> Markup:
    """Draw horizontal bars with their values, the first category on top.

    Args:
        categories: `N` names.
        series: Name to `N` values.
        title: Title of the chart.
        x_label: Quantity and unit.
        stacked: Whether series stand in one bar, with its sum, and not beside each other.
    """
    if not categories or not series:
        return _nothing(title)
    slots = 1 if stacked else len(series)
    figure, axes = _canvas(axis="x", height=0.75 + (0.14 + 0.25 * slots) * len(categories))
    left, thickness = np.zeros(len(categories)), 0.78 / slots
    for number, (name, values) in enumerate(series.items()):
        slot = 0 if stacked else number
        middles = np.arange(len(categories)) + (slot + 0.5) * thickness - 0.39
        colour = SERIES[number % len(SERIES)]
        drawn = axes.barh(middles, values, thickness * 0.92, left, color=colour, label=name)
        left = left + np.asarray(values, float) if stacked else left
        if not stacked or number == len(series) - 1:
            ends = left if stacked else np.asarray(values, float)
            axes.bar_label(drawn, [_short(end) for end in ends], padding=4, color=SOFT)
    axes.set_yticks(np.arange(len(categories)), [short_name(name) for name in categories])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set(xlabel=x_label, ylim=(len(categories) - 0.5, -0.5))
    axes.margins(x=0.12)
    return _drawn(figure, axes, title, names=len(series))


def histogram(
    series: Mapping[str, ArrayLike],
    *,
    title: str,
    x_label: str = "",
    bins: int = 24,
    log_x: bool = False,
) -> Markup:
    """Draw overlaid histograms as shares, so that unequal counts can be compared.

    Args:
        series: Name to values, each of any number; an empty one is left out.
        title: Title of the chart.
        x_label: Quantity and unit.
        bins: Number of bins, shared by all series.
        log_x: Whether bins widen with the value; all values must then be above 0.
    """
    values = {name: np.asarray(value, float).ravel() for name, value in series.items()}
    values = {name: value for name, value in values.items() if value.size}
    if not values:
        return _nothing(title)
    edges = _edges(np.concatenate(list(values.values())), bins, log_x)
    figure, axes = _canvas(axis="y")
    for name, value, colour, dash in styled(values):
        shares = np.histogram(value, edges)[0] / value.size
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.13)
        axes.stairs(shares, edges, color=colour, lw=1.6, ls=dash, label=name)
    axes.set(xlabel=x_label, ylabel="share", xscale="log" if log_x else "linear")
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g}%")
    if log_x:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: _short(value))
    return _drawn(figure, axes, title, names=len(values))


def heatmap(
    matrix: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    row_label: str = "",
    column_label: str = "",
) -> Markup:
    """Draw a table of counts, such as a confusion matrix, shaded by each row's shares.

    Args:
        matrix: `[len(rows), len(columns)]` counts; zeros of a large one are not drawn.
        rows: Names, the first on top.
        columns: Names, the first on the left.
        title: Title of the chart.
        row_label: Label of the rows.
        column_label: Label of the columns.
    """
    counts = np.asarray(matrix, float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _canvas(axis="both", height=1.1 + 0.42 * len(rows))
    axes.grid(visible=False)
    for row, column in np.argwhere((counts > 0) | (counts.size <= 64)).tolist():
        count, share = float(counts[row, column]), float(shares[row, column])
        axes.add_patch(Rectangle((column, row), 0.97, 0.95, fc=SERIES[0], alpha=share, lw=0))
        ink = SURFACE if share > 0.55 else INK
        axes.text(column + 0.5, row + 0.5, _short(count), color=ink, ha="center", va="center")
    upright = 90 if len("".join(columns)) > 80 else 0  # characters that fit side by side
    axes.set_xticks(np.arange(len(columns)) + 0.5, map(short_name, columns), rotation=upright)
    axes.set_yticks(np.arange(len(rows)) + 0.5, [short_name(name) for name in rows])
    axes.set(xlim=(0, len(columns)), ylim=(len(rows), 0), xlabel=column_label, ylabel=row_label)
    axes.tick_params(length=0)
    return _drawn(figure, axes, title, names=0)


def pr_curve(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]], *, title: str = "Precision and recall"
) -> Markup:
    """Draw precision over recall, one curve a model or class.

    Args:
        curves: Name to recall `[N]` and precision `[N]`, both in 0 to 1.
        title: Title of the chart.
    """
    if not curves:
        return _nothing(title)
    figure, axes = _canvas(axis="both", height=3.6)
    for name, (recall, precision), colour, dash in styled(curves):
        axes.plot(recall, precision, ls=dash, c=colour, label=name)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.02))
    return _drawn(figure, axes, title, names=len(curves))


def _canvas(axis: str, height: float = 2.9) -> tuple[Figure, Axes]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.2, height))
        axes = figure.add_subplot()
        axes.grid(visible=False)
        axes.grid(visible=True, axis=axis)  # type: ignore[arg-type]
        axes.tick_params(length=3)
    return figure, axes


def _drawn(figure: Figure, axes: Axes, title: str, names: int) -> Markup:
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):
        if names > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=4, borderaxespad=0.2)
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
    return chart_figure(title, _inline(buffer.getvalue(), title))


def _inline(drawing: str, title: str) -> Markup:
    """Return an SVG file as inline SVG: without prolog, size, ids and styles, in page colours."""
    drawing = re.sub(r"^.*?(?=<svg)|<defs>\s*<style.*?</style>\s*</defs>", "", drawing, flags=re.S)
    drawing = re.sub(r'(?: (?:width|height)="[\d.]+pt")', "", drawing, count=2)
    drawing = re.sub(r'<g id="[^"]*"', "<g", drawing)
    for colour, variable in INKS.items():
        drawing = drawing.replace(colour, variable)
    return Markup(drawing.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1))


def _edges(values: NDArray[np.float64], bins: int, log_x: bool) -> NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    if log_x:
        return np.geomspace(low, max(high, low * 1.1), bins + 1)
    return np.linspace(low, high if high > low else low + 1, bins + 1)


def _short(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:.3g}"


def _nothing(title: str) -> Markup:
    return chart_figure(title, text("No data."))
