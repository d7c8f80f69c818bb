"""Runs are kept by the real library, in a folder; a server is asked by `make prove-tracking`."""

import socket

import pytest

from components.shared.contracts.model import Lineage
from components.shared.store.tracking import Tracked, origins, track

LINEAGE = Lineage(
    dataset="toys", snapshot="5" * 64, code="c" * 64, settings={"mosaic": 0.5}, seed=3,
    start="scratch", fingerprint="f" * 64,
)  # fmt: skip
LOSSES = {10: {"train/loss": 3.0}, 20: {"train/loss": 2.0}}


@pytest.fixture
def address(tmp_path):
    return (tmp_path / "mlflow").as_uri()


def sent(address, *several):
    track({"MLFLOW_TRACKING_URI": address}, *several)


def client_of(address):
    from mlflow import MlflowClient

    return MlflowClient(address)


def runs(address):
    client = client_of(address)
    (experiment,) = (found for found in client.search_experiments() if found.name == "toys")
    return client.search_runs([experiment.experiment_id])


def losses(address, run):
    history = client_of(address).get_metric_history(run.info.run_id, "train/loss")
    return sorted((metric.step, metric.value) for metric in history)


def test_a_training_has_one_run_however_often_it_is_told_of(address):
    sent(address, Tracked(LINEAGE, params=origins(LINEAGE), metrics=LOSSES))
    sent(address, Tracked(LINEAGE, params=origins(LINEAGE), metrics=LOSSES))
    (run,) = runs(address)

    assert losses(address, run) == [(10, 3.0), (20, 2.0)]
    assert run.data.params["mosaic"] == "0.5"
    assert run.data.params["seed"] == "3"
    assert run.info.status == "FINISHED"


def test_a_training_that_goes_on_adds_to_its_run(address):
    sent(address, Tracked(LINEAGE, metrics={10: LOSSES[10]}))
    sent(address, Tracked(LINEAGE, metrics=LOSSES))
    sent(address, Tracked(LINEAGE, metrics={0: {"test/map": 0.4}}))
    (run,) = runs(address)

    assert losses(address, run) == [(10, 3.0), (20, 2.0)]
    assert run.data.metrics["test/map"] == 0.4


def test_another_training_has_a_run_of_its_own(address):
    sent(address, Tracked(LINEAGE), Tracked(LINEAGE.model_copy(update={"fingerprint": "e" * 64})))

    assert {run.data.tags["fingerprint"][0] for run in runs(address)} == {"e", "f"}


def test_files_are_kept_under_the_names_they_are_given(address, tmp_path):
    (tmp_path / "page").write_text("<p>")
    sent(address, Tracked(LINEAGE, files={"training/curves.html": tmp_path / "page"}))
    (run,) = runs(address)
    (kept,) = client_of(address).list_artifacts(run.info.run_id, "training")

    assert kept.path == "training/curves.html"


def test_without_an_address_nothing_is_sent_and_nothing_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    track({}, Tracked(LINEAGE))

    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""


def test_a_server_that_is_not_there_costs_a_sentence_and_no_password(capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody listens there
        port = held.getsockname()[1]
        sent(f"http://me:hunter2@127.0.0.1:{port}", Tracked(LINEAGE))
    said = capsys.readouterr().out

    assert said.startswith("» MLflow tracking skipped: ")
    assert f"127.0.0.1:{port}" in said
    assert "hunter2" not in said


def test_what_cannot_be_kept_does_not_end_a_training(address, tmp_path, capsys):
    sent(address, Tracked(LINEAGE, files={"gone.txt": tmp_path / "gone"}))

    assert "MLflow tracking skipped" in capsys.readouterr().out
