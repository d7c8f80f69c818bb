"""The proof on a real Kubeflow, as far as a stand-in can show it: its order, and what it leaves."""

import json

import pytest
from kfp import compiler

from components.shared.contracts.errors import UserError
from pipelines.kubeflow.host import Host
from pipelines.policy.compiled import Compiled
from pipelines.policy.lint import findings
from tests.proofs import kubeflow_graphs as graphs
from tests.proofs.kubeflow import Proof, main
from tests.standins.argo_workflow import Ends

FIRST = {
    "train": "fetch-model",
    "tune": "fetch-model",
    "deploy": "fetch-model",
    "prove": "fetch-model",
}
FIGURES = 'figures {"frames": 20, "boxes": 61, "median_ms": 9.5, "model": "0123456789ab"}\n'


class Place:
    """A namespace that remembers what is installed and open, and what pods of it printed."""

    def __init__(self, kubeflow, missing=()):
        self.name, self.lacks, self.open, self.overlay = "car-detection", list(missing), "", ""
        self.kubeflow = kubeflow

    def missing(self):
        return [] if self.overlay else self.lacks

    def apply(self, overlay):
        self.overlay = overlay

    def delete(self, overlay):
        self.overlay = ""

    def open_stream(self, run):
        self.open = run

    def close_stream(self):
        self.open = ""

    def log(self, run):
        asked = self.kubeflow.runs[run]["runtime_config"]["parameters"].get("runs")
        if asked is None:
            return FIGURES
        states = {id_: self.kubeflow.runs[id_]["state"] for id_ in asked}
        told = {id_: [state, "it broke"] for id_, state in states.items()}
        return f"outcomes {json.dumps(told)}\n"


def went(kubeflow, run, job, how):
    """Let a run come to where it stays: most end, one is trained until it is stopped."""
    model = run.get("runtime_config", {}).get("parameters", {}).get("model")
    key = next(it for it in kubeflow.spec_of(run)["root"]["dag"]["tasks"] if it != "record-outcome")
    broken = Ends("Failed", f"components.shared.contracts.errors.UserError: {job} broke")
    if job == "stopped":
        return {"fetch-model": Ends("Running")}
    if job == "prove-room":
        return {"need-room": Ends("Pending", message="Unschedulable: Insufficient cpu")}
    if how.get(job) == "FAILED" or model == "previous":
        return {FIRST.get(job, key): broken}
    return {}


@pytest.fixture
def ends(kubeflow):
    """Let every run end at the first look at it, and schedules fire; returns how runs end."""
    how = {}

    def before(verb, path):
        kind, _, name = path.partition("/apis/v2beta1/")[2].partition("/")
        run = kubeflow.runs.get(name)
        if (verb, kind) == ("GET", "runs") and run:
            job = run["display_name"].split("-prove-2")[0]
            if run["state"] == "CANCELING":
                kubeflow.finish(name, "CANCELED")
            elif run["state"] == "PENDING" or job == "prove":
                kubeflow.play(name, went(kubeflow, run, job, how))
        if (verb, path) == ("GET", "/apis/v2beta1/runs") and how.get("schedule") != "never":
            known = {run.get("recurring_run_id") for run in kubeflow.runs.values()}
            for key, one in list(kubeflow.recurringRuns.items()):
                if key not in known and one["mode"] == "ENABLE":
                    kubeflow.fire(key)

    kubeflow.before = before
    return how


def prove(kubeflow, place=None, overlay=""):
    place = place or Place(kubeflow)
    with Proof(Host(kubeflow.url), place, "prove-2", every=0, allow_tags=True) as proof:
        proof.prove(overlay)
    return proof


def left(kubeflow):
    kept = (kubeflow.runs, kubeflow.recurringRuns, kubeflow.versions, kubeflow.pipelines)
    return [name for kind in kept for name in kind]


def test_the_proof_does_everything_and_leaves_nothing(kubeflow, ends, capsys):
    place = Place(kubeflow)

    proof = prove(kubeflow, place)

    told = capsys.readouterr().out
    steps = ("installed", "uploaded", "frames stored", "trained", "deployed", "answered", "tuned")
    places = [told.index(f"\n{step}" if step != "installed" else step) for step in steps]
    assert places == sorted(places)
    assert "frames 20, boxes 61, median_ms 9.5, model 0123456789ab" in told
    for line in (
        "an unknown run is refused in", "failed as it must", ": deploy broke",
        "recorded: [('CANCELED'", "need-room waits: Unschedulable", "succeeded\nthe schedule went",
        "listed: foreign", "terminated a training",
    ):  # fmt: skip
        assert line in told
    assert (left(kubeflow), proof.left, place.open) == ([], [], "")


@pytest.mark.parametrize(
    "job", ["prove-arrival", "train", "deploy", "prove-answer", "tune", "prove"]
)
def test_a_proof_that_fails_says_why_and_leaves_nothing(job, kubeflow, ends):
    ends[job], place = "FAILED", Place(kubeflow)

    with pytest.raises(UserError, match=f"{job} broke"):
        prove(kubeflow, place)

    assert (left(kubeflow), place.open) == ([], "")


def test_a_schedule_that_does_not_fire_is_no_proof(kubeflow, ends, monkeypatch):
    monkeypatch.setattr("tests.proofs.kubeflow_rows.SOON_S", 0.1)
    ends["schedule"] = "never"

    with pytest.raises(UserError, match="did not fire"):
        prove(kubeflow)

    assert left(kubeflow) == []


def test_what_was_there_before_stays(kubeflow, ends):
    before = Host(kubeflow.url).upload("train", allow_dirty=True, allow_tags=True)

    prove(kubeflow)

    assert left(kubeflow) == [before.version.id, before.version.pipeline_id]


def test_what_cannot_be_removed_is_named_and_keeps_nothing_else(kubeflow, ends, capsys):
    ends["prove-retirement"] = "FAILED"

    proof = prove(kubeflow)

    assert proof.left == ["the served model"]
    assert "NOT REMOVED: the served model: " in capsys.readouterr().out
    (kept,) = left(kubeflow)
    assert kubeflow.runs[kept]["display_name"] == "prove-retirement-prove-2"


def test_a_namespace_without_an_installation_is_refused_before_anything_is_made(kubeflow, ends):
    with pytest.raises(
        UserError, match="car-detection lacks secret car-database; expected an overla"
    ):
        prove(kubeflow, Place(kubeflow, ["secret car-database"]))

    assert kubeflow.changes() == []


def test_an_overlay_is_installed_for_the_time_of_the_proof(kubeflow, ends):
    place = Place(kubeflow, ["secret car-database"])

    prove(kubeflow, place, overlay="manifests/overlays/local")

    assert place.overlay == ""


@pytest.mark.parametrize(
    ("given", "named"),
    [({}, "KFP_HOST and KUBECONFIG"), ({"KFP_HOST": "http://kfp"}, "KUBECONFIG")],
)
def test_without_a_cluster_the_proof_is_one_clear_line(given, named, monkeypatch, capsys):
    for name in ("KFP_HOST", "KUBECONFIG"):
        monkeypatch.setenv(name, given.get(name, ""))

    assert main() == 2
    assert capsys.readouterr().err == (
        f"{named} must say which cluster: make prove-kubeflow KFP_HOST=URL KUBECONFIG=file\n"
    )


@pytest.mark.parametrize(
    "graph",
    [graphs.arrive, graphs.answer, graphs.outcomes, graphs.retire, graphs.room],
    ids=lambda graph: graph.name,
)
def test_the_proofs_own_graphs_keep_to_the_policy_but_for_their_ending(graph, tmp_path):
    compiler.Compiler().compile(graph, str(tmp_path / "graph.yaml"))

    broken = {f.rule for f in findings(Compiled.read(tmp_path / "graph.yaml"))}

    assert broken <= {"exit", "parameter", "access"}


def test_frames_are_waited_for_and_missed_by_number(database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)

    assert graphs.wait_for_frames.python_func("car-parks", 0) == 0
    with pytest.raises(RuntimeError, match="0 of 3 frames are stored"):
        graphs.wait_for_frames.python_func("car-parks", 3, seconds=0)


@pytest.mark.parametrize("kubectl", [None, "kubectl"])
def test_what_the_proof_needs_is_said_before_it_begins(kubectl, tmp_path, monkeypatch, capsys):
    (tmp_path / "config").write_text("{}")
    for name, value in (("KFP_HOST", "http://127.0.0.1:1"), ("OVERLAY", "x")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setattr("shutil.which", lambda name: kubectl)

    assert main() == 2
    told = capsys.readouterr().err
    assert ("there is no kubectl" in told) == (kubectl is None)
    assert len(told.splitlines()) == 1
