import base64
import gzip
import re

import pytest

from components.monitoring.detect_drift.evidently_page import write_evidently_page
from components.monitoring.detect_drift.measure import comparable, measure
from components.monitoring.detect_drift.observe import observe, read_reference
from components.monitoring.detect_drift.page import write_drift_page
from components.shared.contracts.policy import DriftPolicy
from components.shared.store.snapshots import ImageReader

MOST_BYTES = 4_000_000
POLICY = DriftPolicy()


@pytest.fixture
def measured(scene):
    def look(**window):
        layout = scene.window(**window)
        sides = read_reference(scene.champion.root), observe(layout.root, scene.objects)
        reader = ImageReader(layout.index, scene.objects)
        return measure(*sides, POLICY), comparable(*sides, POLICY), reader

    return look


def our_page(file, report, pair, reader):
    write_drift_page(file, report, pair, lambda frame: reader.read(frame.sha256))
    return file.read_text()


def test_our_page_says_what_drifted_and_shows_frames_and_distributions(measured, tmp_path):
    report, pair, reader = measured(light=0.2)
    page = our_page(tmp_path / "page.html", report, pair, reader)

    assert report.changed
    assert "The frames differ from the reference." in page
    assert "threshold" in page
    assert page.count("<img ") == 16
    assert page.count("<svg ") == 12


def test_our_page_of_an_empty_window_says_why(measured, tmp_path):
    page = our_page(tmp_path / "page.html", *measured(frames=0))

    assert "No comparison possible. 0 frames served, expected 20 or more" in page
    assert "<svg" not in page


def test_evidently_is_not_asked_about_a_window_that_is_too_small(measured, tmp_path):
    report, pair, _ = measured(frames=2)
    write_evidently_page(tmp_path / "page.html", report, pair, POLICY)

    assert "2 frames served, expected 20 or more" in (tmp_path / "page.html").read_text()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
def test_the_page_of_evidently_fits_the_dashboard_loads_nothing_and_agrees_with_us(
    measured, tmp_path
):
    report, pair, _ = measured(light=0.2)
    write_evidently_page(tmp_path / "page.html", report, pair, POLICY)

    outer = (tmp_path / "page.html").read_text()
    (packed,) = re.findall(r'atob\("([^"]+)"\)', outer)
    inner = gzip.decompress(base64.b64decode(packed)).decode()
    assert len(outer) < MOST_BYTES
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="http', outer + inner)
    assert f"({len(report.drifted)} out of {len(report.distances)})" in inner
