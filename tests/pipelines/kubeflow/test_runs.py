import pytest

from components.shared.contracts.errors import UserError
from components.shared.kubeflow.client import HostError, connect
from pipelines.kubeflow import runs, versions
from pipelines.kubeflow.host import Host

CREATE = ("POST", "/apis/v2beta1/runs")


def test_a_run_is_of_the_newest_version_with_all_its_parameters(submit, kubeflow, uploaded):
    run = submit(seed=3)

    kept = kubeflow.runs[run.id]
    assert kept["pipeline_version_reference"]["pipeline_version_id"] == uploaded[0].version.id
    assert kept["runtime_config"]["parameters"] == {
        "dataset": "yard", "epochs": "auto", "image_size": 320, "seed": 3, "workers": 2,
        "launcher": "local", "approval": "auto", "grow_test": False, "recipe": "",
        "served_precision": "float32", "suppression": "outside",
    }  # fmt: skip
    assert kept["service_account"] == "car-pipeline"
    assert run.name.startswith("train-yard-")


def test_the_same_run_is_found_and_not_started_again(submit, kubeflow):
    first = submit(seed=3)
    second = submit(seed=3)

    assert (second.id, second.was_there, first.was_there) == (first.id, True, False)
    assert kubeflow.changes().count(CREATE) == 1


def test_what_is_left_out_is_the_default(submit):
    assert submit().id == submit(seed=0, approval="auto").id


def test_other_parameters_are_another_run(submit):
    assert submit(seed=3).name != submit(seed=4).name


def test_another_version_is_another_run(submit, client, checkout):
    first = submit()
    (checkout / "file").write_text("two\n")
    versions.upload(client, "train", allow_dirty=True, allow_tags=True, root=checkout)

    assert submit().name != first.name


def test_an_older_version_can_be_run_by_its_name(client, uploaded, checkout, kubeflow):
    (checkout / "file").write_text("two\n")
    versions.upload(client, "train", allow_dirty=True, allow_tags=True, root=checkout)

    run = runs.submit(client, "train", {}, version=uploaded[0].version.name)

    reference = kubeflow.runs[run.id]["pipeline_version_reference"]
    assert reference["pipeline_version_id"] == uploaded[0].version.id


def test_a_version_that_is_not_there_is_refused(client, uploaded):
    with pytest.raises(UserError, match="has no version 'x'"):
        runs.submit(client, "train", {}, version="x")


def test_another_of_the_same_has_a_number(client, submit):
    first = submit()

    again = [runs.submit(client, "train", {"dataset": "yard"}, again=True) for _ in range(2)]

    assert [run.name for run in again] == [f"{first.name}-2", f"{first.name}-3"]


def test_a_run_whose_answer_was_lost_is_found_by_its_name(submit, kubeflow):
    def lose(verb, path):
        if (verb, path) == CREATE:
            raise ConnectionAbortedError

    kubeflow.after = lose
    with pytest.raises(HostError, match="does not answer"):
        submit()
    assert len(kubeflow.runs) == 1

    assert submit().was_there
    assert len(kubeflow.runs) == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"sead": 3}, "train has no parameter 'sead', expected dataset"),
        ({"seed": "3"}, "seed is '3', expected of type Integer"),
        ({"grow_test": 1}, "grow_test is 1, expected of type Boolean"),
    ],
)
def test_a_wrong_parameter_is_refused_before_the_host_is_asked(submit, kubeflow, given, why):
    kubeflow.requests.clear()

    with pytest.raises(UserError, match=why):
        submit(**given)
    assert kubeflow.requests == []


def test_the_command_says_which_version_runs(uploaded, command, capsys):
    assert command("submit", "train") == 0

    assert f"{uploaded[0].version.name}, the newest: " in capsys.readouterr().err


def test_the_lines_for_a_notebook_do_what_they_say(
    kubeflow, uploaded, checkout, monkeypatch, capsys
):
    """They are those of the class's own documentation, with this host's address."""
    monkeypatch.setitem(versions.upload.__kwdefaults__, "root", checkout)
    monkeypatch.setitem(Host.upload.__kwdefaults__, "allow_tags", True)
    shown = [line[8:] for line in Host.__doc__.splitlines() if line.startswith(" " * 8)]
    lines = shown[: shown.index("host.schedules.apply()") + 1]

    def end(verb, path):
        for run in kubeflow.runs:
            kubeflow.finish(run, "SUCCEEDED")

    kubeflow.before = end
    said = {}
    code = "\n".join(lines).replace("https://kubeflow.example.com/pipeline", kubeflow.url)
    exec(code, {"Host": Host}, said)

    assert repr(said["run"]).endswith(", SUCCEEDED)")
    assert capsys.readouterr().out.startswith(said["run"].name)
    assert len(kubeflow.recurringRuns) == 3


def test_with_several_users_everything_stays_in_ones_own_namespace(kubeflow, checkout):
    kubeflow.multi_user = True
    client = connect(kubeflow.url, namespace="ours")
    versions.upload(client, "train", allow_tags=True, root=checkout)

    run = runs.submit(client, "train", {})

    assert [one["namespace"] for one in kubeflow.pipelines.values()] == ["ours"]
    assert [one["namespace"] for one in kubeflow.experiments.values()] == ["ours"]
    assert runs.find(client, run.name).id == run.id
    assert client.get_pipeline_id("train-car-detector") is None
