from components.__main__ import main
from components.contracts.snapshot import WindowInfo, WindowLayout
from components.store.registry import Registry


def test_the_wrapper_runs_by_hand(database, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.delenv("KFP_HOST", raising=False)
    Registry.open(database).decide("d" * 64, "yard", 9, True, "night fell", {})
    WindowInfo(dataset="yard", model=None, since=0, until=9, frames=9, id="d" * 64).write(
        WindowLayout(tmp_path / "window").info
    )

    command = main(["submit_training", "--dataset", "yard", "--window", str(tmp_path / "window")])

    assert command == "python -m pipelines run train --dataset yard"
