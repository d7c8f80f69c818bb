import pytest

from components.__main__ import main
from components.shared.contracts.report import Report, Verdict, VerdictLayout


@pytest.fixture
def report(tmp_path):
    file = tmp_path / "report.json"
    Report(
        dataset="car-parks", snapshot="0" * 64, split="test", images=0, boxes=0, models=(),
        absent={"fine_tuned": "no champion", "from_scratch": "not trained"},
    ).write(file)  # fmt: skip
    return file


def test_the_wrapper_runs_by_hand(report, tmp_path):
    verdict, page = tmp_path / "verdict", tmp_path / "page.md"
    winner = main(
        ["judge_model", f"--report={report}", f"--verdict={verdict}", f"--page={page}"]
    )  # fmt: skip

    assert winner == "none"
    assert Verdict.read(VerdictLayout(verdict).verdict).winner == "none"
    assert page.read_text().startswith("**not promoted**")


@pytest.mark.filterwarnings("ignore:You may be attemping:RuntimeWarning")
def test_the_wrapper_runs_as_kubeflow_runs_it(report, tmp_path):
    """Only this way is the wrapper's source cut out and run alone, as in the cluster."""
    from kfp import dsl, local

    from components.promotion.judge_model.component import judge_model

    @dsl.pipeline
    def judged(report: str) -> str:
        imported = dsl.importer(artifact_uri=report, artifact_class=dsl.Artifact)
        return judge_model(report=imported.output).outputs["Output"]

    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "root"))

    assert judged(report=str(report)).output == "none"
