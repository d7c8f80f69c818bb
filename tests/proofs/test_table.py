"""Rows of the proof say what was seen and what was expected."""

from tests.proofs.table import equal, holds, stated


def test_a_row_that_does_not_hold_says_what_was_expected():
    assert equal("stored", 3, 4).line == "WRONG   stored: 3 (expected 4)"
    assert holds("memory", "9 MB", "<= 10 MB", True).line.startswith("ok ")


def test_a_row_that_is_only_stated_does_not_fail_a_proof():
    assert stated("kcat", "skipped").good is None
