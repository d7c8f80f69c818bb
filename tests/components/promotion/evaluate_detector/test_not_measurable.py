"""What is absent, damaged or not measurable is said with its reason, and is never a number."""

import re

import pytest

from components.promotion.evaluate_detector.evaluate import evaluate
from components.promotion.evaluate_detector.page import publish
from components.promotion.judge_model.judge import judge
from components.promotion.judge_model.page import page as verdict_as_markdown
from components.shared.contracts.absence import mark_absent
from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import Report
from tests.support.tiny_snapshots import LIT, PICTURES


def test_what_cannot_be_measured_is_said_and_never_a_number(freeze, folders, tmp_path):
    reader = freeze([("test", "north", {(1, 1): 0}, []), ("validation", "north", {(0, 0): 0}, [])])
    evaluation = evaluate(reader, folders(from_scratch=0.0, champion=6.0))
    publish(evaluation, reader, tmp_path / "r.json", tmp_path / "refs", tmp_path / "p.html")
    verdict = judge(evaluation.report, PromotionPolicy())
    page = (tmp_path / "p.html").read_text()
    verdict_page = verdict_as_markdown(verdict, evaluation.report)

    assert evaluation.sentence == "mAP is not measurable: none of 1 test images has a box"
    assert set(evaluation.metrics) == {"from_scratch latency ms p95", "champion latency ms p95"}
    assert page.count("not measurable") > 10
    assert (verdict.winner, "mAP50 is not measurable" in verdict.reason) == ("none", True)
    for text in (page, verdict_page, verdict.reason, evaluation.sentence):
        assert not re.search(r"-1\.0|mAP\S* -?[01]\.000|[+-]0\.000|nan", text)


def test_without_any_model_the_reasons_are_told(freeze, folders, tmp_path):
    reader = freeze()
    evaluation = evaluate(reader, folders())
    publish(evaluation, reader, tmp_path / "r.json", tmp_path / "refs", tmp_path / "p.html")

    assert evaluation.sentence.startswith("no model to evaluate; no fine_tuned today")
    assert Report.read(tmp_path / "r.json").models == ()
    assert "No champion: no champion today." in (tmp_path / "p.html").read_text()


def test_a_test_split_without_boxes_is_measured_as_undefined(freeze, folders, tmp_path):
    reader = freeze([("test", "north", LIT, [])])
    evaluation = evaluate(reader, folders(from_scratch=0.0))
    publish(evaluation, reader, tmp_path / "r.json", tmp_path / "refs", tmp_path / "p.html")

    assert evaluation.report.of("from_scratch").coco["map"] == -1
    assert evaluation.confusion[1] == [[0, 0], [2, 0]]


def test_without_test_images_nothing_can_be_compared(freeze, folders):
    with pytest.raises(UserError, match="has no test images"):
        evaluate(freeze(PICTURES[:2]), folders(from_scratch=0.0))


def test_a_changed_package_is_absent_with_the_reason_and_harms_no_other(freeze, folders):
    given = folders(fine_tuned=0.0, from_scratch=0.0, champion=6.0)
    (given["from_scratch"] / "config.pbtxt").write_text("")
    report = evaluate(freeze(), given).report

    assert report.of("fine_tuned") is not None
    assert report.damaged == ("from_scratch",)
    assert "config.pbtxt has digest" in report.absent["from_scratch"]


def test_a_damaged_champion_is_told_apart_from_none_and_nobody_wins(freeze, folders):
    given = folders(from_scratch=0.0, champion=6.0)
    (given["champion"] / "package" / "model.onnx").write_bytes(b"other")
    report = evaluate(freeze(), given).report
    verdict = judge(report, PromotionPolicy())

    assert (report.damaged, verdict.winner) == (("champion",), "none")
    assert "model.onnx has digest" in verdict.reason
    assert "restore its files" in verdict.reason


def test_what_was_fetched_as_damaged_stays_damaged(freeze, folders):
    given = folders(from_scratch=0.0)
    mark_absent(given["champion"], "version 3 is damaged", damaged=True)

    assert evaluate(freeze(), given).report.damaged == ("champion",)
