"""Write Evidently's drift page, with the distances and thresholds of our own report."""

import base64
import gzip
from collections.abc import Sequence
from math import floor
from pathlib import Path

import numpy as np

from components.monitoring.detect_drift.camera_bootstrap import distance
from components.monitoring.detect_drift.measure import Pair, column
from components.shared.contracts.policy import DriftPolicy
from components.shared.contracts.report import DriftReport
from components.shared.pages.fragments import sentence, text
from components.shared.pages.page import MAX_PAGE_BYTES, Section, write_page

METHOD = "ks_distance"

# Evidently's page is 4.3 MB of script, and the dashboard shows nothing above 4 MB.
UNPACK = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><noscript>This page draws itself with JavaScript.</noscript>
<script>
const packed = Uint8Array.from(atob("{packed}"), letter => letter.charCodeAt(0));
const page = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
new Response(page).text().then(html => {{
  document.open(); document.write(html); document.close();
}});
</script></body></html>
"""


def write_evidently_page(
    path: str | Path, report: DriftReport, pair: Pair, policy: DriftPolicy
) -> None:
    """Write Evidently's page about the frames that were compared, or why there is none.

    Args:
        path: File of the page.
        report: The drift report.
        pair: The frames that were compared.
        policy: Number of drifted descriptors that make a drift.
    """
    title = f"Drift of {report.dataset}, by Evidently"
    if not report.enough:
        reason = text(sentence(report.reason))
        write_page(path, title, [Section("No comparison possible", [reason])])
        return
    packed = base64.b64encode(gzip.compress(_page(report, pair, policy).encode(), mtime=0))
    if len(packed) + len(UNPACK) > MAX_PAGE_BYTES:
        note = text(f"Evidently's page has {len(packed):,} bytes, more than the dashboard shows.")
        write_page(path, title, [Section("Left out", [note])])
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(UNPACK.format(title=title, packed=packed.decode()))


def _page(report: DriftReport, pair: Pair, policy: DriftPolicy) -> str:
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    _register()
    names = list(report.distances)
    before, after = (
        pd.DataFrame({_title(name): column(side, name) for name in names})
        for side in (pair.reference, pair.current)
    )
    preset = DataDriftPreset(
        method=METHOD,
        per_column_threshold={_title(name): far for name, far in report.thresholds.items()},
        drift_share=floor(1000 * policy.min_drifted / len(names)) / 1000,
        include_tests=False,
    )
    html: str = Report([preset]).run(after, before).get_html_str(as_iframe=False)
    return html


def _register() -> None:
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    kinds = [ColumnType.Numerical]
    test = StatTest(METHOD, "Kolmogorov-Smirnov distance", kinds)
    register_stattest(test, default_impl=_ks_distance)


def _ks_distance(
    reference: Sequence[float], current: Sequence[float], _: object, threshold: float
) -> tuple[float, bool]:
    far = distance(np.asarray(reference), np.asarray(current))
    return far, far > threshold


def _title(name: str) -> str:
    return name.replace("_", " ")
