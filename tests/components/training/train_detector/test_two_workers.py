"""Two workers leave one model, whatever happens to them and however their gradients travel.

All compare with one training that nothing disturbed, so they stand in one file.
"""

from pathlib import Path

import numpy as np
import pytest
from kfp import dsl

from components.shared.contracts.absence import mark_absent
from components.shared.contracts.model import TrainedLayout
from components.shared.contracts.record import read_lines
from components.shared.store.objects import Objects
from components.training.train_detector.component import train_detector
from components.training.train_detector.plan.history import Epoch
from tests.support.toy_snapshots import write_snapshot
from tests.support.training_processes import Training, apart, losses


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """Run the component itself, with two real workers."""
    root = tmp_path_factory.mktemp("component")
    store = Objects((root / "objects").as_uri())
    write_snapshot(root / "snapshot", store)
    mark_absent(root / "champion", "the registry is empty")
    artifacts = {
        "snapshot": dsl.Dataset(uri=str(root / "snapshot")),
        "champion": dsl.Model(uri=str(root / "champion")),
        "trained": dsl.Model(uri=str(root / "trained")),
        "curves": dsl.HTML(uri=str(root / "curves.html")),
        "metrics": dsl.Metrics(uri=str(root / "metrics")),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBJECT_STORE_URL", store.url)
        train_detector.python_func(**artifacts, image_size=64, epochs=6, batch_size=4)
    return artifacts


def test_two_workers_leave_a_model_that_can_be_restored(outcome):
    from components.shared.network.restore import restore

    model = restore(outcome["trained"].path)

    assert model.input_shape == (None, 64, 64, 3)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


def test_every_epoch_leaves_a_line(outcome):
    history = read_lines(Epoch, TrainedLayout(outcome["trained"].path).history)

    assert [epoch.epoch for epoch in history] == [1, 2, 3, 4, 5, 6]


def test_the_dashboard_gets_a_page_and_numbers(outcome):
    assert "mAP50" in Path(outcome["curves"].path).read_text()
    assert set(outcome["metrics"].metadata) == {"validation_map50", "best_epoch"}


def test_gradients_that_travel_in_half_as_many_bits_teach_the_same(outcome, tmp_path):
    settings = {"epochs": 6, "batch_size": 4, "workers": 2, "gradient_precision": "float32"}
    full = Training(tmp_path / "full", **settings)

    assert full.end() == 0, full.said()
    of_losses, of_weights = apart(outcome["trained"].path, full.trained)
    assert of_losses < 0.01 * losses(full.trained).max()
    assert of_weights > 0


def test_two_workers_of_which_one_is_killed_end_as_those_that_nothing_disturbed(outcome, tmp_path):
    settings = {"epochs": 6, "batch_size": 4, "workers": 2, "checkpoint_s": 0}
    training = Training(tmp_path / "killed", **settings)
    training.until(lambda: training.step() >= 1)
    training.workers()[1].kill()

    assert training.end() == 0
    assert "worker-1 was ended by SIGKILL; all workers restart" in training.said()
    assert apart(training.trained, outcome["trained"].path) <= (1e-6, 1e-6)
    assert len(losses(training.trained)) == 6
    assert not training.checkpoints()
