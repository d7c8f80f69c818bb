import shutil

import pytest

from components.__main__ import main
from components.contracts.model import PackageError, RegisteredLayout, mark_absent
from components.contracts.record import read_lines
from components.contracts.refusal import Refusal
from components.contracts.report import ReferenceFrame, Report
from components.evaluate_detector.evaluate import evaluate
from components.evaluate_detector.show import publish
from components.store.objects import Objects
from components.vision.descriptors import DESCRIPTORS
from tests.components.evaluate_detector.frozen import cell_box, frozen

LIT = {(0, 0): 0, (2, 1): 0}
PICTURES = [
    ("train", "north", {(3, 3): 0}, [cell_box(3, 3)]),
    ("validation", "north", {(1, 1): 0}, [cell_box(1, 1)]),
    ("test", "north", LIT, [cell_box(0, 0), cell_box(2, 1)]),
    ("test", "south", {(1, 2): 0}, [cell_box(1, 2), cell_box(3, 3)]),
    ("test", "south", {}, []),
]


@pytest.fixture
def freeze(tmp_path, object_store):
    def make(pictures=PICTURES, classes=("car",)):
        return frozen(tmp_path / "snapshot", Objects(object_store), pictures, classes)

    return make


@pytest.fixture
def folders(tiny_package, tmp_path):
    """Make the three folders that the evaluator takes; a role without a shift is absent."""

    def make(heir=None, challenger=None, champion=None, **options):
        made = {}
        for role, shift in (("heir", heir), ("challenger", challenger), ("champion", champion)):
            made[role] = tmp_path / f"{role}-input"
            package = RegisteredLayout(made[role]).package if role == "champion" else made[role]
            if shift is None:
                mark_absent(made[role], f"no {role} today")
            else:
                shutil.copytree(tiny_package(shift=shift, **options).root, package)
        return made

    return make


def test_the_best_candidate_is_the_subject(freeze, folders):
    evaluation = evaluate(freeze(), folders(heir=6.0, challenger=0.0, champion=0.0))

    assert evaluation.subject == "challenger"


def test_all_models_are_measured_on_the_test_images_alone(freeze, folders):
    report = evaluate(freeze(), folders(challenger=0.0, champion=6.0)).report

    assert (report.images, report.boxes) == (3, 4)
    assert report.of("challenger").coco["map50"] == pytest.approx(0.75, abs=0.01)
    assert report.of("champion").coco["map50"] < 0.1
    assert report.absent == {"heir": "no heir today"}


def test_a_model_in_two_roles_has_the_same_numbers_in_both(freeze, folders):
    report = evaluate(freeze(), folders(heir=0.0, champion=0.0)).report

    heir, champion = report.of("heir"), report.of("champion")
    assert heir.model_copy(update={"role": "champion"}) == champion


def test_slices_tell_where_a_model_is_right(freeze, folders):
    report = evaluate(freeze(), folders(challenger=0.0)).report

    assert report.of("challenger").slices["camera"]["north"] == pytest.approx(1)
    assert report.of("challenger").slices["camera"]["south"] == pytest.approx(0.5, abs=0.01)
    assert report.slice_boxes["camera"] == {"north": 2, "south": 2}


def test_latency_and_size_are_those_of_the_model(freeze, folders):
    model = evaluate(freeze(), folders(challenger=0.0)).report.of("challenger")

    assert 0 < model.latency_ms_p50 <= model.latency_ms_p95
    assert model.size_bytes > 0


def test_references_are_the_held_out_images_as_they_would_be_served(freeze, folders, tmp_path):
    reader = freeze()
    publish(
        evaluate(reader, folders(challenger=0.0)), reader,
        tmp_path / "report.json", tmp_path / "references", tmp_path / "page.html",
    )  # fmt: skip
    frames = read_lines(ReferenceFrame, tmp_path / "references" / "challenger.jsonl")

    held_out = {image.sha256 for image in reader.images() if image.split != "train"}
    assert {frame.sha256 for frame in frames} == held_out
    assert set(frames[0].descriptors) == set(DESCRIPTORS)
    assert sorted(len(frame.boxes) for frame in frames) == [0, 1, 1, 2]


def test_the_confusion_matrix_counts_what_was_missed(freeze, folders):
    names, counts = evaluate(freeze(), folders(challenger=0.0)).confusion

    assert names == ["car", "background"]
    assert counts == [[3, 1], [0, 0]]


def test_a_champion_of_other_classes_is_compared_by_name(freeze, folders):
    evaluation = evaluate(freeze(), folders(champion=0.0, classes=("tram", "car")))

    assert evaluation.report.of("champion").coco["map50"] == 0
    assert evaluation.confusion[1] == [[0, 4], [0, 0]]


def test_without_any_model_the_reasons_are_told(freeze, folders, tmp_path):
    reader = freeze()
    evaluation = evaluate(reader, folders())
    publish(evaluation, reader, tmp_path / "r.json", tmp_path / "refs", tmp_path / "p.html")

    assert evaluation.sentence.startswith("no model to evaluate; no heir today")
    assert Report.read(tmp_path / "r.json").models == ()
    assert "There is no champion: no champion today." in (tmp_path / "p.html").read_text()


def test_a_test_split_without_boxes_is_measured_as_undefined(freeze, folders, tmp_path):
    reader = freeze([("test", "north", LIT, [])])
    evaluation = evaluate(reader, folders(challenger=0.0))
    publish(evaluation, reader, tmp_path / "r.json", tmp_path / "refs", tmp_path / "p.html")

    assert evaluation.report.of("challenger").coco["map"] == -1
    assert evaluation.confusion[1] == [[0, 0], [2, 0]]


def test_without_test_images_nothing_can_be_compared(freeze, folders):
    with pytest.raises(Refusal, match="has no test images"):
        evaluate(freeze(PICTURES[:2]), folders(challenger=0.0))


def test_a_changed_package_is_refused(freeze, folders):
    given = folders(challenger=0.0)
    (given["challenger"] / "config.pbtxt").write_text("")

    with pytest.raises(PackageError, match=r"config\.pbtxt has digest"):
        evaluate(freeze(), given)


def test_the_wrapper_runs_by_hand(freeze, folders, object_store, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    freeze()
    inputs = {"snapshot": tmp_path / "snapshot", **folders(challenger=0.0, champion=2.0)}
    outputs = ("report", "references", "page", "metrics", "confusion")
    paths = inputs | {name: tmp_path / "out" / name for name in outputs}
    main(["evaluate_detector", *[str(part) for name, path in paths.items()
                                 for part in (f"--{name}", path)]])  # fmt: skip

    assert Report.read(paths["report"]).dataset == "toys"
    assert "<h1>Models of toys, compared</h1>" in paths["page"].read_text()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("» challenger mAP50 0.7")
    assert "on 3 test images; champion 0." in last
