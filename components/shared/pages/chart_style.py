"""Colours, dashes and Matplotlib settings of charts."""

from collections.abc import Iterator, Mapping
from typing import Any

SERIES = ("#0072b2", "#d55e00", "#009e73", "#b4558d", "#c98600", "#3b9dd1")
INK, SOFT, LINE, SURFACE = "#1c1d21", "#62646d", "#e1e1dc", "#fdfdfe"
INKS = {INK: "currentColor", SOFT: "var(--soft)", LINE: "var(--line)", SURFACE: "var(--surface)"}
INKS |= {colour: f"var(--c{number})" for number, colour in enumerate(SERIES, 1)}
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), "-.", (0, (8, 2)), ":")

STYLE: Any = {
    "svg.fonttype": "none", "text.parse_math": False, "svg.hashsalt": "pages",
    "font.size": 9, "font.family": "DejaVu Sans",
    "text.color": INK, "axes.labelcolor": SOFT, "axes.edgecolor": LINE, "axes.linewidth": 1,
    "xtick.color": LINE, "ytick.color": LINE, "xtick.labelcolor": SOFT, "ytick.labelcolor": SOFT,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.grid": True, "grid.color": LINE, "grid.linewidth": 0.8, "lines.linewidth": 1.8,
    "legend.frameon": False, "legend.handlelength": 2.2, "figure.constrained_layout.use": True,
}  # fmt: skip


def styled(series: Mapping[str, Any]) -> Iterator[tuple[str, Any, str, Any]]:
    """Yield name, values, colour and dashes of each series."""
    for number, (name, values) in enumerate(series.items()):
        yield name, values, SERIES[number % len(SERIES)], DASHES[number % len(DASHES)]
