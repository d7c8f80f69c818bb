"""The branch of an error decides what a caller does, and the exit code."""

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from components.shared.contracts.errors import (
    RETRIED_FROM,
    ApplicationError,
    ExitCode,
    JobError,
    OutageError,
    UserError,
)


@pytest.mark.parametrize(
    ("kind", "command", "worker"),
    [(UserError, 2, 2), (OutageError, 2, 138), (JobError, 1, 1), (ApplicationError, 1, 1)],
)
def test_the_exit_code_follows_from_the_branch(kind, command, worker):
    assert (ExitCode.of(kind("a")), ExitCode.of_worker(kind("a"))) == (command, worker)


def test_a_worker_is_restarted_only_after_an_outage_or_a_signal():
    restarted = {code for code in ExitCode if code >= RETRIED_FROM}

    assert restarted == {ExitCode.RESTART, ExitCode.INTERRUPTED, ExitCode.STOPPED}


def test_a_user_error_in_a_validator_is_a_finding_of_pydantic():
    class Checked(BaseModel):
        word: str

        @field_validator("word")
        @classmethod
        def check(cls, word: str) -> str:
            raise UserError(f"{word} is no word")

    with pytest.raises(ValidationError, match="x is no word"):
        Checked(word="x")
