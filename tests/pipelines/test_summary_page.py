import re

import pytest

from components.shared.contracts.report import COCO_METRICS, DriftReport, ModelReport, Report
from components.shared.contracts.snapshot import SnapshotInfo, WindowInfo
from pipelines.local.local_stack import LocalStack
from pipelines.local.run import LocalRun, LocalTask
from pipelines.local.summary_page import write_summary_page

DIGEST = "a" * 64


def step(name, said):
    return LocalTask(name, name, 0.0, 1.5, "SUCCESS", said)


@pytest.fixture
def runs(tmp_path):
    train, watch = (LocalRun(name, tmp_path / name) for name in ("train", "watch"))
    train.steps = [step("judge-model", "promoted: from_scratch, it is the first")]
    watch.steps = [step("decide-retraining", "retrain: 3 of 12 <descriptors> drifted")]
    made, seen = train.folder / "root", watch.folder / "root"
    SnapshotInfo(
        id=DIGEST, dataset="toys", classes=("car",), as_of=None, images={"test": 7},
        boxes={"test": 9}, left_out={}, refused={},
    ).write(made / "snapshot-dataset/snapshot/snapshot.json")  # fmt: skip
    numbers = ModelReport(
        role="from_scratch", model=DIGEST, coco=dict.fromkeys(COCO_METRICS, 0.625), slices={},
        latency_ms_p50=5, latency_ms_p95=6, size_bytes=2_800_000,
    )  # fmt: skip
    Report(
        dataset="toys", snapshot=DIGEST, split="test", images=7, boxes=9, models=(numbers,),
        absent={"fine_tuned": "there is no champion yet"},
    ).write(made / "evaluate-detector/report")  # fmt: skip
    (made / "evaluate-detector/page").write_text('<html><body class="inner">worst</body></html>')
    DriftReport(
        dataset="toys", model=DIGEST, window=DIGEST, frames=0, reference_frames=7, distances={},
        thresholds={}, drifted=(), enough=True, reason="brightness fell",
    ).write(seen / "detect-drift/drift")  # fmt: skip
    WindowInfo(dataset="toys", model=DIGEST, since=0, until=0, frames=0, id=DIGEST).write(
        seen / "extract-window/window/window.json"
    )
    return [("Train", train), ("Watch", watch)]


@pytest.fixture
def page(runs, tmp_path):
    stack = LocalStack(tmp_path, {"OBJECT_STORE_URL": (tmp_path / "objects").as_uri()}, ())
    return write_summary_page(runs, "toys", stack).read_text()


def test_the_page_tells_the_numbers_the_decisions_and_every_step(page):
    for words in ("0.625", "there is no champion yet", "Brightness fell", "it is the first"):
        assert words in page


def test_what_a_step_said_cannot_become_markup(page):
    assert "<descriptors>" not in page


def test_other_pages_are_inside_and_cannot_break_out(page):
    assert 'class="inner"' not in page
    assert "class=&#34;inner&#34;" in page


def test_the_page_needs_no_other_file(page):
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
