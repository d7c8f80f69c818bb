"""A training leaves a model that can be restored, once, and says why when it leaves none."""

import pytest

from components.shared.contracts.absence import absence, mark_absent
from components.shared.contracts.model import Lineage, RegisteredLayout, TrainedInfo, TrainedLayout
from components.shared.contracts.snapshot import SnapshotInfo, SnapshotLayout
from components.shared.network.architecture import ARCHITECTURE
from components.shared.store.objects import Objects
from components.training.train_detector.launchers.outcome import TrainingError
from components.training.train_detector.plan.plan import PlanLayout
from components.training.train_detector.plan.settings import TrainingSettings
from components.training.train_detector.train import nothing_to_fine_tune, train
from components.training.train_detector.worker.training_store import TrainingStore
from tests.support.toy_snapshots import write_snapshot


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


def never(work, plan, objects):
    raise AssertionError("there was nothing to launch")


def finish(work, plan, objects):
    """Be a launcher whose workers are done at once."""
    plan.info.write(TrainedLayout(work / "trained").info)
    TrainingStore(objects, plan.fingerprint).send_outcome(work / "trained")


def leave(work, plan, objects):
    """Be a launcher whose workers say that they are done, and are not."""


def die(work, plan, objects):
    raise KeyboardInterrupt


@pytest.fixture
def run(tmp_path, snapshot, no_champion, objects):
    def run(launch, name="trained", champion=no_champion, **chosen):
        root = tmp_path / name
        return root, train(snapshot, champion, root, TrainingSettings(**chosen), objects, launch)

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

    assert absence(root) == (
        "the champion has another network architecture, so its weights do not fit"
    )


@pytest.mark.parametrize(
    "network",
    ["ac648fd6eff7fc39d02463d047da961ec1cfde7e4c5d34529319aef2a79bf2ae", ARCHITECTURE, ""],
)
def test_a_champion_of_the_same_network_is_continued_from_however_it_was_named(
    network, snapshot, tmp_path
):
    champion = champion_of("f" * 64, tmp_path / "other", network=network)

    assert nothing_to_fine_tune(champion, snapshot) is None


def test_a_finished_training_is_not_done_again(run, capsys):
    _, first = run(finish)
    root, second = run(never, name="again")

    assert second == first == TrainedInfo.read(TrainedLayout(root).info)
    assert "skipped: the same snapshot, code, settings and seed" in capsys.readouterr().out


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


def checkpoints_of(plan, objects):
    return TrainingStore(objects, plan.fingerprint).checkpoints(0)


def test_an_attempt_finds_the_checkpoints_of_the_one_before(run):
    def begin(work, plan, objects):
        checkpoints_of(plan, objects).write(7, b"a checkpoint")
        raise KeyboardInterrupt

    def go_on(work, plan, objects):
        assert checkpoints_of(plan, objects).newest() == 7
        finish(work, plan, objects)

    with pytest.raises(KeyboardInterrupt):
        run(begin)
    run(go_on)


def test_of_a_finished_training_only_the_outcome_is_kept(run, objects):
    def finish_with_all(work, plan, objects):
        TrainingStore(objects, plan.fingerprint).send_plan(work)
        checkpoints_of(plan, objects).write(7, b"a checkpoint")
        finish(work, plan, objects)

    run(finish_with_all)
    kept = {key.split("/")[2] for key in objects.keys("trainings")}

    assert kept == {"complete", "trained"}


def test_workers_that_leave_no_outcome_are_no_success(run):
    with pytest.raises(TrainingError, match="their result is not in the object store"):
        run(leave)


def test_workers_elsewhere_find_all_they_need_in_the_object_store(run, snapshot, objects, tmp_path):
    def send(work, plan, objects):
        TrainingStore(objects, plan.fingerprint).send_plan(work)
        TrainingStore(objects, plan.fingerprint).fetch_plan(tmp_path / "elsewhere")
        finish(work, plan, objects)

    run(send)
    there = PlanLayout(tmp_path / "elsewhere")

    assert read_folder(there.snapshot) == read_folder(snapshot)
    assert there.plan.exists()
    assert not there.warm.exists()


def read_folder(root):
    return {file.name: file.read_bytes() for file in root.iterdir()}
