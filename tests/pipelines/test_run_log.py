"""What a run on this machine prints becomes steps with their last lines, and a cause."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.local.run import LocalRun, _cause_of, _note, cause_in

LOG = """\
22:04:36.100 - INFO - Executing task 'snapshot-dataset'
    » 600 images
22:04:37.100 - INFO - Task 'snapshot-dataset' finished with status SUCCESS
22:04:37.200 - INFO - Executing task 'validate-dataset'
    components.shared.contracts.errors.UserError: 3 images are undecodable, expected none
22:04:38.100 - ERROR - Task 'validate-dataset' finished with status FAILURE
RuntimeError: Pipeline 'train' finished with status FAILURE. Inner task failed
"""


def test_what_a_run_printed_becomes_steps_and_a_cause(tmp_path):
    heard = []
    told = LocalRun("train", tmp_path)
    for line in LOG.splitlines():
        _note(told, line, lambda *said: heard.append(said))

    assert [(step.name, step.state) for step in told.steps] == [
        ("snapshot-dataset", "SUCCESS"),
        ("validate-dataset", "FAILURE"),
    ]
    assert heard == [("snapshot-dataset", "600 images")]
    assert cause_in(LOG.splitlines()) == "3 images are undecodable, expected none"


LOOP = """
12:00:00.000 - INFO - Executing task 'train-detector'
12:00:00.100 - INFO - Executing task 'train-detector'
12:00:05.000 - INFO - Task 'train-detector' finished with status SUCCESS
12:00:06.000 - INFO - Task 'train-detector' finished with status FAILURE
"""


BESIDE = """\
12:00:00.000 - INFO - Executing task 'train-detector'
12:00:00.100 - INFO - Executing task 'train-detector-2'
    » [train-detector] epoch 1
    Traceback (most recent call last):
    » [train-detector-2] epoch 7
      File "x.py", line 1, in <module>
    AssertionError
    » [train-detector] failed: AssertionError:
12:00:05.000 - ERROR - Task 'train-detector' finished with status FAILURE
    » [train-detector-2] failed: 1 of 2 workers was lost
12:00:06.000 - ERROR - Task 'train-detector-2' finished with status FAILURE
12:00:06.000 - INFO - Executing task 'record-outcome'
    » [record-outcome] train failed
12:00:07.000 - INFO - Task 'record-outcome' finished with status SUCCESS
12:00:07.100 - INFO - Task 'record-outcome' outputs:
    Output: ''
RuntimeError: Pipeline 'train' finished with status FAILURE. Inner task failed
"""


def test_lines_of_tasks_beside_each_other_go_to_the_one_that_said_them(tmp_path):
    heard = []
    told = LocalRun("train", tmp_path, {"train-detector-2": "train from scratch"})
    for line in BESIDE.splitlines():
        _note(told, line, lambda *said: heard.append(said))

    assert heard == [
        ("train-detector", "epoch 1"),
        ("train from scratch", "epoch 7"),
        ("record-outcome", "train failed"),
    ]
    assert [step.progress for step in told.steps] == ["epoch 1", "epoch 7", "train failed"]


def test_the_cause_of_a_run_is_the_sentence_of_the_first_task_that_failed(tmp_path):
    told = LocalRun("train", tmp_path)
    for line in BESIDE.splitlines():
        _note(told, line, lambda *said: None)

    assert _cause_of(told) == "AssertionError:"


def test_tasks_of_a_loop_that_have_one_name_are_told_apart_by_their_process(tmp_path):
    told = LocalRun("tune", tmp_path)
    for line in [
        "Executing task 'train-detector'",
        "Executing task 'train-detector'",
        "» [train-detector 71] epoch 1",
        "» [train-detector 72] epoch 5",
        "» [train-detector 71] epoch 2",
        "» [train-detector 72] failed: no room",
        "Task 'train-detector' finished with status FAILURE",
        "Task 'train-detector' finished with status SUCCESS",
    ]:
        _note(told, line, lambda *said: None)

    assert [(step.progress, step.state) for step in told.steps] == [
        ("epoch 2", "SUCCESS"),
        ("epoch 5", "FAILURE"),
    ]
    assert _cause_of(told) == "no room"


def test_an_output_is_not_taken_for_the_end_of_a_traceback():
    assert cause_in(BESIDE.splitlines()) == "AssertionError"


@settings(derandomize=True, max_examples=50)
@given(st.lists(st.sampled_from(["train-detector", "train-detector-2"]), max_size=20))
def test_whatever_the_order_every_task_has_its_own_last_line(order):
    told, last = LocalRun("train", Path()), {}
    for name in ("train-detector", "train-detector-2"):
        _note(told, f"Executing task '{name}'", lambda *said: None)
    for number, name in enumerate(order):
        last[name] = f"line {number}"
        _note(told, f"        » [{name}] line {number}", lambda *said: None)

    assert {step.name: step.progress for step in told.steps if step.progress} == last


def test_tasks_of_a_loop_end_each_by_itself(tmp_path):
    told = LocalRun("tune", tmp_path)
    for line in LOOP.splitlines():
        _note(told, line, lambda *said: None)

    assert [step.state for step in told.steps] == ["SUCCESS", "FAILURE"]
