import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from pipelines.command_line import parser
from pipelines.local.loop import slug

ROOT = Path(__file__).parents[2]


def run(*words, **env):
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, **env}, timeout=120,
    )  # fmt: skip


def lines_of(process):
    return [line for line in process.stderr.splitlines() if line.strip()]


def test_a_data_path_that_does_not_exist_is_one_clear_line(tmp_path):
    process = run("pipelines", "loop", "--data", "no/such/folder", CARS_STATE=str(tmp_path))

    assert process.returncode == 2
    assert lines_of(process) == [
        "DATA=no/such/folder does not exist, expected a folder of labelled images"
    ]


def test_a_folder_without_images_is_one_clear_line_and_nothing_is_left_running(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()

    process = run("pipelines", "loop", "--data", str(empty), CARS_STATE=str(tmp_path / "state"))

    assert process.returncode == 2
    assert "Traceback" not in process.stdout + process.stderr
    (line,) = lines_of(process)
    assert str(empty) in line
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(tmp_path) in " ".join(process.info["cmdline"] or ())
    ]


def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    from components.shared.contracts.errors import UserError
    from pipelines.local import local_stack

    monkeypatch.setenv("CARS_STATE", str(tmp_path))
    monkeypatch.setattr(local_stack, "MIN_FREE_BYTES", 10**18)

    with pytest.raises(UserError, match="MB free, a run needs"), local_stack.local_stack():
        pass


def test_a_state_folder_serves_one_run_at_a_time(tmp_path):
    from components.shared.contracts.errors import OutageError
    from pipelines.local.local_stack import _only_one

    with (
        _only_one(tmp_path),
        pytest.raises(OutageError, match=f"in use by process {os.getpid()}"),
        _only_one(tmp_path),
    ):
        pass


def test_an_unknown_job_is_refused_by_name():
    process = run("components", "paint_cars")

    assert process.returncode == 2
    assert lines_of(process)[0].startswith("'paint_cars' is no job, expected one of")


def test_a_job_says_what_the_environment_lacks():
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    environment["OBJECT_STORE_URL"] = "file:///nowhere"
    process = subprocess.run(
        [sys.executable, "-m", "components", "fetch_model", "--dataset=x", "--fetched=y"],
        cwd=ROOT, capture_output=True, text=True, env=environment,
    )  # fmt: skip

    assert process.returncode == 2
    assert lines_of(process) == ["the environment lacks 'DATABASE_URL'"]


@pytest.mark.parametrize("content", [None, "{}", "not json"], ids=["missing", "empty", "broken"])
def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path, content):
    report = tmp_path / "report.json"
    if content is not None:
        report.write_text(content)

    outputs = [f"--verdict={tmp_path}/v", f"--page={tmp_path}/p"]
    process = run("components", "judge_model", f"--report={report}", *outputs)

    assert process.returncode == 2
    assert len(lines_of(process)) == 1
    assert "Traceback" not in process.stderr


def test_a_database_that_does_not_answer_is_one_clear_line(tmp_path):
    nowhere = "postgresql://cars:secret@127.0.0.1:1/cars"

    process = run("pipelines", "run", "watch", CARS_STATE=str(tmp_path), DATABASE_URL=nowhere)

    assert process.returncode == 2
    (line,) = lines_of(process)
    assert line.startswith("DATABASE_URL: connection to server")
    assert "secret" not in line


def test_a_host_that_is_not_there_is_one_clear_line():
    process = run("pipelines", "submit", "train", "--host", "http://127.0.0.1:1")

    assert process.returncode == 2
    (line,) = lines_of(process)
    assert line.startswith("http://127.0.0.1:1 does not answer: ")


def test_ctrl_c_while_much_is_still_imported_is_one_word():
    words = [sys.executable, "-X", "importtime", "-m", "pipelines", "run", "train"]
    process = subprocess.Popen(
        words, cwd=ROOT, stderr=subprocess.PIPE, text=True,
        # Where the tests run in the background, a shell has them ignore Ctrl-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while "kfp" not in process.stderr.readline():  # the first of what takes a second or two
        pass
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)

    assert process.returncode == 130
    assert [line for line in told.splitlines() if line and "import time" not in line] == ["stopped"]


def test_help_lists_the_options_of_a_job_from_its_signature():
    process = run("components", "judge_model", "--help")

    assert process.returncode == 0
    assert "--report" in process.stdout


def test_a_pipeline_takes_its_parameters_from_its_own_signature():
    process = run("pipelines", "run", "train", "--help")

    assert process.returncode == 0
    assert "--grow-test" in process.stdout


def test_a_pipelines_parameters_are_read_by_their_types():
    words = ["run", "train", "--dataset", "toys", "--seed", "3", "--grow-test", "true"]

    options = vars(parser().parse_args(words))

    assert (options["dataset"], options["seed"], options["grow_test"]) == ("toys", 3, True)
    assert options["approval"] == "auto"


@pytest.mark.parametrize("name", ["", "___", "Ünï", "a" * 100, "Highway_Vehicles"])
def test_every_folder_name_gives_a_dataset_name(name):
    from pydantic import TypeAdapter

    from components.shared.contracts.values import Name

    TypeAdapter(Name).validate_python(slug(name))


@pytest.mark.parametrize("word", ["mosaic: 0.25", "@{file}"])
def test_a_recipe_is_given_in_words_or_in_a_file(word, tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text("mosaic: 0.25")
    options = parser().parse_args(["run", "train", "--recipe", word.format(file=file)])

    assert options.recipe == "mosaic: 0.25"


def test_a_file_that_is_not_there_is_named(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["run", "train", "--recipe", "@no/such.yaml"])

    assert "no/such.yaml cannot be read: No such file" in capsys.readouterr().err


def test_output_that_nobody_reads_to_its_end_is_no_error():
    command = f"{sys.executable} -m pipelines policy | head -1"
    process = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120
    )

    assert process.stdout.startswith("policy file")
    assert process.stderr == ""
