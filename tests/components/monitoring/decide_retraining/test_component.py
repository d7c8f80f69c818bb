from components.__main__ import main
from components.shared.contracts.report import DriftReport
from components.shared.contracts.snapshot import WindowInfo, WindowLayout


def test_the_wrapper_runs_by_hand(database, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database)
    WindowInfo(dataset="yard", model=None, since=0, until=0, frames=0, id="d" * 64).write(
        WindowLayout(tmp_path / "window").info
    )
    DriftReport(
        dataset="yard", model=None, window="d" * 64, frames=0, reference_frames=0, distances={},
        thresholds={}, drifted=(), enough=False, reason="0 frames served, expected 20 or more",
    ).write(tmp_path / "drift.json")  # fmt: skip

    retrain = main(
        ["decide_retraining", "--dataset", "yard", "--window", str(tmp_path / "window"),
         "--drift", str(tmp_path / "drift.json"), "--record", str(tmp_path / "record.md")]
    )  # fmt: skip

    assert retrain is False
    assert "**retrain: no**" in (tmp_path / "record.md").read_text()
    assert capsys.readouterr().out.endswith("no retraining: too little data, 0 frames\n")
