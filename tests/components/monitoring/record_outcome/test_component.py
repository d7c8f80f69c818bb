import pytest
from kfp import dsl, local

from components.images import image
from components.monitoring.record_outcome.component import record_outcome
from components.shared.store.postgres import connect


@dsl.component(base_image=image("core"), install_kfp_package=False)
def work(succeed: bool):
    """Do something, or fail."""
    assert succeed


@dsl.pipeline
def recorded(succeed: bool):
    ended = record_outcome(pipeline="watch", run=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
    with dsl.ExitHandler(ended):
        work(succeed=succeed)


@pytest.fixture
def outcomes(database, tmp_path, monkeypatch):
    """Run the pipeline as Kubeflow does and return what was recorded."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("KFP_HOST", "http://127.0.0.1:1")  # nobody asks it of a run on a laptop
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(tmp_path / "root"),
        raise_on_error=False,
    )

    def run(*successes):
        for succeed in successes:
            recorded(succeed=succeed)
        connection = connect(database)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT pipeline, state, reason <> '' FROM registry.outcomes")
            rows = cursor.fetchall()
        connection.close()
        return rows

    return run


@pytest.mark.filterwarnings("ignore:You may be attemping to run a task:RuntimeWarning")
def test_a_run_that_succeeds_and_one_that_fails_are_both_recorded(outcomes):
    assert sorted(outcomes(True, False)) == [
        ("watch", "FAILED", True),
        ("watch", "SUCCEEDED", False),
    ]
