import pytest

from components.__main__ import main
from components.promotion.evaluate_detector.evaluate import evaluate
from components.promotion.evaluate_detector.page import publish
from components.promotion.judge_model.judge import judge
from components.shared.contracts.model import RegisteredLayout
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.record import read_lines, write_lines
from components.shared.contracts.report import HardCase, ReferenceFrame, Report
from components.shared.vision.descriptors import DESCRIPTORS
from tests.support.tiny_snapshots import cell_box

MANY = [  # one object each, never in the last column
    ("test", f"camera {number % 2}", {(number % 3, number % 4): 0}, [
        cell_box(number % 3, number % 4)
    ])
    for number in range(24)
]  # fmt: skip


def test_the_best_candidate_is_the_subject(freeze, folders):
    evaluation = evaluate(freeze(), folders(fine_tuned=6.0, from_scratch=0.0, champion=0.0))

    assert evaluation.subject == "from_scratch"


def test_all_models_are_measured_on_the_test_images_alone(freeze, folders):
    report = evaluate(freeze(), folders(from_scratch=0.0, champion=6.0)).report

    assert (report.images, report.boxes) == (3, 4)
    assert report.of("from_scratch").coco["map50"] == pytest.approx(0.75, abs=0.01)
    assert report.of("champion").coco["map50"] < 0.1
    assert report.absent == {"fine_tuned": "no fine_tuned today"}


def test_a_model_in_two_roles_has_the_same_numbers_in_both(freeze, folders):
    report = evaluate(freeze(), folders(fine_tuned=0.0, champion=0.0)).report

    fine_tuned, champion = report.of("fine_tuned"), report.of("champion")
    assert fine_tuned.model_copy(update={"role": "champion"}) == champion


def test_slices_tell_where_a_model_is_right(freeze, folders):
    report = evaluate(freeze(), folders(from_scratch=0.0)).report

    assert report.of("from_scratch").slices["camera"]["north"] == pytest.approx(1)
    assert report.of("from_scratch").slices["camera"]["south"] == pytest.approx(0.5, abs=0.01)
    assert report.slice_boxes["camera"] == {"north": 2, "south": 2}


def test_latency_and_size_are_those_of_the_model(freeze, folders):
    model = evaluate(freeze(), folders(from_scratch=0.0)).report.of("from_scratch")

    assert 0 < model.latency_ms_p50 <= model.latency_ms_p95
    assert model.size_bytes > 0


def test_references_are_the_held_out_images_as_they_would_be_served(freeze, folders, tmp_path):
    reader = freeze()
    publish(
        evaluate(reader, folders(from_scratch=0.0)), reader,
        tmp_path / "report.json", tmp_path / "references", tmp_path / "page.html",
    )  # fmt: skip
    frames = read_lines(ReferenceFrame, tmp_path / "references" / "from_scratch.jsonl")

    held_out = {image.sha256 for image in reader.images() if image.split != "train"}
    assert {frame.sha256 for frame in frames} == held_out
    assert set(frames[0].descriptors) == set(DESCRIPTORS)
    assert sorted(len(frame.boxes) for frame in frames) == [0, 1, 1, 2]


def test_the_confusion_matrix_counts_what_was_missed(freeze, folders):
    names, counts = evaluate(freeze(), folders(from_scratch=0.0)).confusion

    assert names == ["car", "background"]
    assert counts == [[3, 1], [0, 0]]


def test_a_champion_of_other_classes_is_compared_by_name(freeze, folders):
    evaluation = evaluate(freeze(), folders(champion=0.0, classes=("tram", "car")))

    assert evaluation.report.of("champion").coco["map50"] == 0
    assert evaluation.confusion[1] == [[0, 4], [0, 0]]


def test_the_page_says_how_little_numbers_on_few_images_mean(freeze, folders, tmp_path):
    reader = freeze()
    evaluation = evaluate(reader, folders(from_scratch=0.0))
    publish(evaluation, reader, tmp_path / "r.json", tmp_path / "refs", tmp_path / "p.html")

    said = "umbers on 3 test images mean little: 20 or more tell two models apart"
    assert said in (tmp_path / "p.html").read_text()
    assert said in judge(evaluation.report, PromotionPolicy()).reason


def test_many_classes_and_cameras_with_long_names_fit_a_page_that_says_what_is_left_out(
    freeze, folders, tmp_path
):
    classes = tuple(f"vehicle in column {number:03} of the picture" for number in range(256))
    pictures = [
        ("test", f"{'street ' * 20}{number:02}", {(number % 3, number % 4): 0}, [
            cell_box(number % 3, number % 4, classes[number])
        ])
        for number in range(24)
    ]  # fmt: skip
    reader = freeze(pictures, classes)
    evaluation = evaluate(reader, folders(from_scratch=0.0, classes=classes))
    publish(evaluation, reader, tmp_path / "r.json", tmp_path / "refs", tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text()

    assert len(page) < 1_000_000
    assert "the 16 of 256 classes with most errors" in page
    assert "the 14 of 24 with most objects" in page
    names, counts = evaluation.confusion
    assert (len(names), len(counts), names[-2]) == (18, 18, "240 others")


@pytest.mark.parametrize(
    ("shifts", "winner"),
    [
        ({"fine_tuned": 0.0, "from_scratch": 2.0, "champion": 4.0}, "fine_tuned"),
        ({"fine_tuned": 2.0, "from_scratch": 0.0, "champion": 4.0}, "from_scratch"),
        ({"fine_tuned": 2.0, "from_scratch": 4.0, "champion": 0.0}, "none"),
    ],
    ids=["the fine-tuned", "the one from scratch", "the champion"],
)
def test_each_of_the_three_wins_where_it_is_best(freeze, folders, shifts, winner):
    evaluation = evaluate(freeze(MANY), folders(**shifts))

    assert judge(evaluation.report, PromotionPolicy()).winner == winner


def test_hard_cases_are_what_the_winner_surely_gets_right_and_the_champion_missed(
    freeze, folders, tmp_path
):
    reader = freeze(MANY)
    evaluation = evaluate(reader, folders(from_scratch=0.0, champion=8.0))
    publish(evaluation, reader, tmp_path / "r.json", tmp_path / "refs", tmp_path / "p.html")
    suite = read_lines(HardCase, tmp_path / "refs" / "from_scratch.hard.jsonl")

    assert {case.kind for case in suite} == {"object"}
    assert len(suite) == 20  # of the 24 that it won
    assert read_lines(HardCase, tmp_path / "refs" / "champion.hard.jsonl") == []


def test_the_suite_of_the_champion_is_asked_of_all_and_travels_on(freeze, folders):
    given, reader = folders(from_scratch=8.0, champion=0.0), freeze(MANY)
    first, *_, last = reader.images("test")
    cases = [
        HardCase(sha256=first.sha256, kind="object", box=first.boxes[0]),
        HardCase(sha256=last.sha256, kind="nothing", box=cell_box(3, 0)),
        HardCase(sha256="f" * 64, kind="object", box=cell_box(0, 0)),  # erased since
    ]
    write_lines(cases, RegisteredLayout(given["champion"]).hard)
    evaluation = evaluate(reader, given)

    report = evaluation.report
    assert report.hard_cases == 2
    assert (report.of("champion").hard_kept, report.of("from_scratch").hard_kept) == (2, 1)
    assert set(cases) <= set(evaluation.suites["from_scratch"])


@pytest.mark.parametrize("with_both", [True, False])
def test_the_wrapper_runs_by_hand(
    freeze, folders, object_store, tmp_path, monkeypatch, capsys, with_both
):
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    freeze()
    inputs = {"snapshot": tmp_path / "snapshot", **folders(from_scratch=0.0, champion=2.0)}
    if not with_both:
        del inputs["fine_tuned"]  # as the search for settings leaves it out
    outputs = ("report", "references", "page", "metrics", "confusion")
    paths = inputs | {name: tmp_path / "out" / name for name in outputs}
    main(["evaluate_detector", *[str(part) for name, path in paths.items()
                                 for part in (f"--{name.replace('_', '-')}", path)]])  # fmt: skip

    report = Report.read(paths["report"])
    assert report.dataset == "toys"
    assert report.absent == ({"fine_tuned": "no fine_tuned today"} if with_both else {})
    assert "<h1>Comparison of models of toys</h1>" in paths["page"].read_text()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("» candidate from scratch: mAP50 0.7")
    assert "on 3 test images; champion: mAP50 0." in last
