from components.__main__ import main
from components.shared.contracts.snapshot import WindowInfo, WindowLayout


def test_the_wrapper_runs_by_hand(database, object_store, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)

    frames = main(["extract_window", "--dataset", "yard", "--window", str(tmp_path / "window")])

    assert frames == 0
    assert WindowInfo.read(WindowLayout(tmp_path / "window").info).dataset == "yard"
