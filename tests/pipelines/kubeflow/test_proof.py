"""The proof on a real Kubeflow, as far as a stand-in can show it: its order, and what it leaves."""

import pytest
from kfp import compiler

from components.contracts.refusal import Refusal
from pipelines.kubeflow.host import Host
from pipelines.policy.compiled import Compiled
from pipelines.policy.lint import findings
from tests.proofs import kubeflow_graphs as graphs
from tests.proofs.kubeflow import Proof, main

FIGURES = 'figures {"frames": 20, "boxes": 61, "median_ms": 9.5, "model": "0123456789ab"}\n'


class Place:
    """A namespace that remembers what is installed and open."""

    def __init__(self, missing=()):
        self.name, self.lacks, self.open, self.overlay = "car-detection", list(missing), False, ""

    def missing(self):
        return [] if self.overlay else self.lacks

    def apply(self, overlay):
        self.overlay = overlay

    def delete(self, overlay):
        self.overlay = ""

    def open_stream(self):
        self.open = True

    def close_stream(self):
        self.open = False

    def log(self, run):
        return FIGURES


@pytest.fixture
def ends(kubeflow):
    """Let every run end at the first look at it, and schedules fire; returns how runs end."""
    how = {}

    def before(verb, path):
        kind, _, name = path.partition("/apis/v2beta1/")[2].partition("/")
        run = kubeflow.runs.get(name)
        if (verb, kind) == ("GET", "runs") and run and run["state"] == "PENDING":
            job = run["display_name"].split("-prove-2")[0]
            kubeflow.finish(name, how.get(job, "SUCCEEDED"), error=f"{job} broke")
        if (verb, path) == ("GET", "/apis/v2beta1/runs") and how.get("schedule") != "never":
            for number, one in enumerate(list(kubeflow.recurringRuns.values())):
                fired = {"run_id": f"fired-{number}", "recurring_run_id": one["recurring_run_id"]}
                kubeflow.runs.setdefault(
                    fired["run_id"], fired | {"display_name": "fired", "state": "PENDING"}
                )

    kubeflow.before = before
    return how


def prove(kubeflow, place=None, overlay=""):
    with Proof(Host(kubeflow.url), place or Place(), "prove-2", every=0, allow_tags=True) as proof:
        proof.prove(overlay)
    return proof


def left(kubeflow):
    kept = (kubeflow.runs, kubeflow.recurringRuns, kubeflow.versions, kubeflow.pipelines)
    return [name for kind in kept for name in kind]


def test_the_proof_does_everything_and_leaves_nothing(kubeflow, ends, capsys):
    place = Place()

    proof = prove(kubeflow, place)

    told = capsys.readouterr().out
    steps = ("installed", "uploaded", "frames stored", "trained", "deployed", "answered")
    places = [told.index(f"\n{step}" if step != "installed" else step) for step in steps]
    assert places == sorted(places)
    assert "frames 20, boxes 61, median_ms 9.5, model 0123456789ab" in told
    assert "the schedule fired fired, which succeeded" in told
    assert (left(kubeflow), proof.left, place.open) == ([], [], False)


@pytest.mark.parametrize("job", ["prove-arrival", "train", "deploy", "prove-answer", "fired"])
def test_a_proof_that_fails_says_why_and_leaves_nothing(job, kubeflow, ends):
    ends[job], place = "FAILED", Place()

    with pytest.raises(Refusal, match=f"{job} broke"):
        prove(kubeflow, place)

    assert (left(kubeflow), place.open) == ([], False)


def test_a_schedule_that_does_not_fire_is_no_proof(kubeflow, ends, monkeypatch):
    monkeypatch.setattr("tests.proofs.kubeflow.FIRES_WITHIN_S", 0.1)
    ends["schedule"] = "never"

    with pytest.raises(Refusal, match="did not fire"):
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
        Refusal, match="car-detection lacks secret car-database; expected an overla"
    ):
        prove(kubeflow, Place(["secret car-database"]))

    assert kubeflow.changes() == []


def test_an_overlay_is_installed_for_the_time_of_the_proof(kubeflow, ends):
    place = Place(["secret car-database"])

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


@pytest.mark.parametrize("graph", [graphs.arrive, graphs.answer, graphs.retire], ids=str)
def test_the_proofs_own_graphs_keep_to_the_policy_but_for_their_ending(graph, tmp_path):
    compiler.Compiler().compile(graph, str(tmp_path / "graph.yaml"))

    broken = {f.rule for f in findings(Compiled.read(tmp_path / "graph.yaml"))}

    assert broken <= {"exit", "parameter", "access"}


def test_frames_are_waited_for_and_missed_by_number(database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)

    assert graphs.wait_for_frames.python_func("car-parks", 0) == 0
    with pytest.raises(RuntimeError, match="0 of 3 frames are stored"):
        graphs.wait_for_frames.python_func("car-parks", 3, seconds=0)
