"""A training leaves a model that can be restored, once, and says why when it leaves none."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from kfp import dsl

from components.contracts.annotation import Box
from components.contracts.model import (
    Lineage,
    RegisteredLayout,
    TrainedInfo,
    TrainedLayout,
    absence,
    mark_absent,
)
from components.contracts.record import read_lines, write_lines
from components.contracts.snapshot import (
    SnapshotImage,
    SnapshotInfo,
    SnapshotLayout,
    snapshot_id,
)
from components.store.objects import Objects
from components.store.shards import pack_shards
from components.train_detector.component import train_detector
from components.train_detector.history import Epoch
from components.train_detector.plan import Settings
from components.train_detector.train import train
from components.vision.jpeg import encode_jpeg

SPLITS = ["train"] * 6 + ["validation"] * 2
CAR = Box(x_min=20, y_min=10, x_max=44, y_max=30, label="car")


def pictures():
    """Return small JPEGs, each with one bright car on noise, by their digests."""
    rng = np.random.default_rng(0)
    made = {}
    for _ in SPLITS:
        picture = rng.integers(0, 90, (48, 64, 3)).astype(np.uint8)
        picture[10:30, 20:44] = 240
        content = encode_jpeg(picture)
        made[hashlib.sha256(content).hexdigest()] = content
    return made


def write_snapshot(root, objects):
    layout, contents = SnapshotLayout(root), pictures()
    images = [
        SnapshotImage(
            sha256=sha256, width=64, height=48, camera="north", group=split, split=split,
            captured_at=datetime(2026, 1, 1, tzinfo=UTC), source_name="", boxes=(CAR,),
        )
        for sha256, split in zip(contents, SPLITS, strict=True)
    ]  # fmt: skip
    for shard in pack_shards(contents, contents.__getitem__):
        objects.put(shard.key, shard.content)
        write_lines(shard.entries, layout.index)
    write_lines(images, layout.manifest)
    counts = {split: SPLITS.count(split) for split in ("train", "validation")}
    info = SnapshotInfo(
        id=snapshot_id("toys", ["car"], images), dataset="toys", classes=("car",), as_of=None,
        images=counts, boxes=counts, left_out={}, refused={},
    )  # fmt: skip
    info.write(layout.info)
    return info


@pytest.fixture
def objects(object_store):
    return Objects(object_store)


@pytest.fixture
def snapshot(tmp_path, objects):
    write_snapshot(tmp_path / "snapshot", objects)
    return tmp_path / "snapshot"


@pytest.fixture
def no_champion(tmp_path):
    mark_absent(tmp_path / "champion", "the registry is empty")
    return tmp_path / "champion"


def never(plan, workers):
    raise AssertionError("there was nothing to launch")


def finish(plan, workers):
    """Be a launcher whose workers are done at once."""
    from components.train_detector.plan import Plan

    what = Plan.read(plan)
    what.info.write(TrainedLayout(what.output).info)


def die(plan, workers):
    raise KeyboardInterrupt


@pytest.fixture
def run(tmp_path, snapshot, no_champion, objects):
    def run(launch, name="trained", champion=no_champion, **chosen):
        root = tmp_path / name
        return root, train(snapshot, champion, root, Settings(**chosen), objects, launch)

    return run


def champion_of(snapshot_digest, root, network=""):
    settings: dict[str, str] = {}
    lineage = Lineage(
        dataset="toys", snapshot=snapshot_digest, code="0" * 64, settings=settings, seed=0,
        start="scratch", fingerprint="0" * 64,
    )  # fmt: skip
    TrainedInfo(
        lineage=lineage, classes=("car",), image_width=64, image_height=64, size="pico",
        best_epoch=1, validation_map50=0.5, network=network,
    ).write(TrainedLayout(RegisteredLayout(root).trained).info)  # fmt: skip
    return root


def test_without_a_champion_there_is_no_heir(run):
    root, _ = run(never, start="champion")

    assert absence(root) == "there is no champion yet"


def test_a_champion_learns_nothing_new_from_its_own_snapshot(run, snapshot, tmp_path):
    own = SnapshotInfo.read(SnapshotLayout(snapshot).info).id

    root, _ = run(never, champion=champion_of(own, tmp_path / "own"), start="champion")

    assert absence(root) == "the champion has already learned from this snapshot"


def test_a_champion_of_another_network_leaves_the_field_to_the_challenger(run, tmp_path):
    other = champion_of("f" * 64, tmp_path / "other", network="e" * 64)

    root, _ = run(never, champion=other, start="champion")

    assert absence(root) == "the champion's network is built otherwise, so its weights do not fit"


def test_a_finished_training_is_not_done_again(run, capsys):
    _, first = run(finish)
    root, second = run(never, name="again")

    assert second == first == TrainedInfo.read(TrainedLayout(root).info)
    assert "training skipped: the same snapshot, code, settings and seed" in capsys.readouterr().out


def test_another_seed_is_another_training(run):
    run(finish)

    with pytest.raises(AssertionError, match="nothing to launch"):
        run(never, seed=1)


def test_a_training_that_was_cut_short_leaves_no_result(run):
    with pytest.raises(KeyboardInterrupt):
        run(die)
    root, info = run(finish)

    assert info is not None
    assert sorted(file.name for file in root.parent.iterdir() if "work" in file.name) == []


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
        train_detector.python_func(**artifacts, image_size=64, epochs=2, batch_size=4)
    return artifacts


def test_two_workers_leave_a_model_that_can_be_restored(outcome):
    from components.detector.restore import restore

    model = restore(outcome["trained"].path)

    assert model.input_shape == (None, 64, 64, 3)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


def test_every_epoch_leaves_a_line(outcome):
    history = read_lines(Epoch, TrainedLayout(outcome["trained"].path).history)

    assert [epoch.epoch for epoch in history] == [1, 2]


def test_the_dashboard_gets_a_page_and_numbers(outcome):
    assert "mAP50" in Path(outcome["curves"].path).read_text()
    assert set(outcome["metrics"].metadata) == {"validation_map50", "best_epoch"}
