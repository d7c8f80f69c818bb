import pytest
from kfp import local

from components.__main__ import main
from components.data.snapshot_dataset.component import snapshot_dataset
from components.shared.contracts.snapshot import SnapshotInfo, SnapshotLayout


def test_the_wrapper_runs_by_hand(lake, database, tmp_path, monkeypatch):
    lake.fill()
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("OBJECT_STORE_URL", lake.objects.url)
    root = tmp_path / "snapshot"

    found = main(["snapshot_dataset", "--dataset", "toy", "--snapshot", str(root)])

    assert found == SnapshotInfo.read(SnapshotLayout(root).info).id


@pytest.mark.filterwarnings("ignore:You may be attemping:RuntimeWarning")
def test_the_wrapper_runs_as_kubeflow_runs_it(lake, database, tmp_path, monkeypatch):
    lake.fill()
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("OBJECT_STORE_URL", lake.objects.url)
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "root"))

    task = snapshot_dataset(dataset="toy")

    info = SnapshotInfo.read(SnapshotLayout(task.outputs["snapshot"].path).info)
    assert task.outputs["Output"] == info.id
