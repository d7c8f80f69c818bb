from contextlib import closing

import pytest

from components.__main__ import main
from components.shared.contracts.snapshot import WindowInfo, WindowLayout
from components.shared.kubeflow.client import HostError
from components.shared.store.postgres import connect


def test_the_wrapper_runs_by_hand(database, registry, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.delenv("KFP_HOST", raising=False)
    registry.decide("d" * 64, "yard", 9, True, "night fell", {})
    WindowInfo(dataset="yard", model=None, since=0, until=9, frames=9, id="d" * 64).write(
        WindowLayout(tmp_path / "window").info
    )

    command = main(["submit_training", "--dataset", "yard", "--window", str(tmp_path / "window")])

    assert command == "python -m pipelines run train --dataset yard"


def test_an_attempt_that_failed_leaves_the_window_to_the_next(
    database, registry, tmp_path, monkeypatch
):
    monkeypatch.setenv("DATABASE_URL", database)
    registry.decide("d" * 64, "yard", 9, True, "night fell", {})
    WindowInfo(dataset="yard", model=None, since=0, until=9, frames=9, id="d" * 64).write(
        WindowLayout(tmp_path / "window").info
    )
    words = ["submit_training", "--dataset", "yard", "--window", str(tmp_path / "window")]

    with pytest.raises(HostError) as kept:  # and with it the frames in which it was raised
        main([*words, "--host", "http://127.0.0.1:9"])
    with closing(connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)
    assert kept.value.status == 0
