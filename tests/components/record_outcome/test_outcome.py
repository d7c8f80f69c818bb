from components.record_outcome.outcome import outcome


def test_a_failure_says_why():
    assert outcome("run-7", "FAILED", 1, "no disk").sentence == "failed: no disk (code 1)"


def test_a_success_needs_no_reason():
    assert outcome("run-7", "SUCCEEDED", None, None).sentence == "succeeded"


def test_a_message_of_many_lines_becomes_one():
    assert outcome("run-7", "FAILED", None, "no disk\n  at all\n").reason == "no disk at all"
