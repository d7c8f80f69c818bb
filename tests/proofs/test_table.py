"""Rows of the proof say what was seen and what was expected."""

from tests.proofs.table import equal, holds, stated, watched


def test_a_row_that_does_not_hold_says_what_was_expected():
    assert equal("stored", 3, 4).line == "WRONG   stored: 3 (expected 4)"
    assert holds("memory", "9 MB", "<= 10 MB", True).line.startswith("ok ")


def test_a_row_that_is_only_stated_does_not_fail_a_proof():
    assert stated("kcat", "skipped").good is None


def test_a_scenario_that_breaks_is_a_row_that_does_not_hold(capsys):
    def scenario():
        yield equal("first", 1, 1)
        raise ValueError("the rest is lost")

    first, broken = watched("scenario", scenario())

    assert (first.good, broken.good) == (True, False)
    assert (
        "WRONG   scenario ran to its end: ValueError('the rest is lost')" in capsys.readouterr().out
    )
