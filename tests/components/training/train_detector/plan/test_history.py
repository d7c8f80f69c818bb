"""A history is the same for the page, for TensorBoard and for MLflow."""

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as some

from components.shared.contracts.model import TrainedLayout
from components.shared.contracts.record import write_lines
from components.training.train_detector.plan.history import NAMES, Epoch, scalars
from components.training.train_detector.report.mlflow_run import mlflow_run
from components.training.train_detector.report.page import write_training_page
from components.training.train_detector.report.tensorboard import NAME, write_events
from components.training.train_detector.train import numbers_of
from tests.support.search_results import info_of

numbers = some.floats(0, 100, width=32)


def epoch(number, loss=3.0, map50=0.5, steps=40):
    return Epoch(
        epoch=number, step=number * steps, loss=loss, class_loss=1.0, box_loss=1.0,
        distance_loss=1.0, learning_rate=0.001, map50=map50,
    )  # fmt: skip


HISTORY = [epoch(1, 3.0), epoch(2, 2.0), epoch(3, 1.0)]


def read_events(folder):
    """Read with TensorFlow's own reader: `(step, tag, value)` of every event but the first."""
    file = str(folder / NAME)
    events = [tf.compat.v1.Event.FromString(e.numpy()) for e in tf.data.TFRecordDataset(file)]
    assert events[0].file_version == "brain.Event:2"
    return [(e.step, v.tag, v.simple_value) for e in events for v in e.summary.value]


@given(some.lists(numbers, max_size=5))
def test_every_number_of_a_history_has_its_step_and_its_name(losses):
    found = scalars([epoch(at, loss) for at, loss in enumerate(losses, 1)])

    assert {step: said["train/loss"] for step, said in found.items()} == {
        40 * at: loss for at, loss in enumerate(losses, 1)
    }


def test_every_number_of_a_line_has_a_name():
    assert set(NAMES) == set(Epoch.model_fields) - {"step"}


def test_a_line_without_its_step_stands_at_its_epoch():
    assert list(scalars([epoch(4, steps=0)])) == [4]


def test_tensorboard_reads_the_history_that_was_written(tmp_path):
    write_events(HISTORY, tmp_path / "events")
    read = read_events(tmp_path / "events")

    assert [(s, v) for s, tag, v in read if tag == "train/loss"] == [(40, 3), (80, 2), (120, 1)]
    assert [s for s, tag, _ in read if tag == "validation/map50"] == [40, 80, 120]
    assert len(read) == 3 * len(NAMES)


def test_writing_again_doubles_nothing_and_leaves_the_same_bytes(tmp_path):
    write_events(HISTORY[:2], tmp_path)
    write_events(HISTORY, tmp_path)
    first = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    write_events(HISTORY, tmp_path)

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == first
    assert list(first) == [NAME]


@pytest.fixture
def trained(tmp_path):
    layout = TrainedLayout(tmp_path / "trained")
    write_lines(HISTORY, layout.history)
    info_of({"mosaic": 0.25}).write(layout.info)
    return layout.root


def test_what_is_tracked_is_the_history_the_settings_and_the_page(trained, tmp_path):
    info = info_of({"mosaic": 0.25})
    (kept,) = mlflow_run(trained, info, tmp_path / "curves.html")

    assert kept.lineage == info.lineage
    assert kept.params["mosaic"] == 0.25
    assert kept.metrics == {0: {"best/epoch": 1, "best/map50": 0.5}, **scalars(HISTORY)}
    assert set(kept.files) == {
        "training/trained.json", "training/history.jsonl", "training/curves.html",
    }  # fmt: skip


def test_a_precision_that_is_not_measurable_is_tracked_and_drawn_nowhere(tmp_path):
    layout = TrainedLayout(tmp_path / "trained")
    history = [one.model_copy(update={"map50": None}) for one in HISTORY]
    info = info_of({}).model_copy(update={"validation_map50": None})
    write_lines(history, layout.history)
    info.write(layout.info)

    (kept,) = mlflow_run(layout.root, info, tmp_path / "curves.html")
    write_training_page(layout.root, tmp_path / "curves.html")

    assert not [name for it in kept.metrics.values() for name in it if "map50" in name]
    assert numbers_of(info) == {"best_epoch": 1}
    page = (tmp_path / "curves.html").read_text()
    assert "mAP50 is not measurable: no validation image has a box" in page
    assert ">0.000<" not in page


def test_nothing_is_tracked_of_what_was_not_trained(tmp_path):
    assert mlflow_run(tmp_path, None, tmp_path / "curves.html") == []


def test_the_page_draws_losses_precision_and_the_learning_rate(trained, tmp_path):
    write_training_page(trained, tmp_path / "curves.html")
    page = (tmp_path / "curves.html").read_text()

    for title in ("mAP50 of the averaged weights", "Losses on the training", "Learning rate at"):
        assert page.count(f'aria-label="{title}') == 1
