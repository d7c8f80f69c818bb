"""What a log names as the cause of a failure, and what only looks like one."""

import pytest

from components.shared.contracts.failure import causes, ending

BEGIN = "Traceback (most recent call last):"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["Note: 3 of 9 images", "Loss: 0.3"], []),
        (["components.shared.contracts.errors.UserError: no room"], ["no room"]),
        ([BEGIN, '  File "a.py", line 3, in <module>', "OSError: no disk"], ["no disk"]),
        ([BEGIN, "    Chosen: int = 3", "OSError: no disk"], ["no disk"]),
        (["    " + BEGIN, "    OSError: no disk", "Note: 3 of 9 images"], ["no disk"]),
        ([BEGIN, "KeyError: 'a'", "", BEGIN, "OSError: no disk"], ["'a'", "no disk"]),
    ],
)
def test_a_cause_has_a_qualified_name_or_follows_a_traceback(lines, found):
    assert list(causes(lines)) == found


@pytest.mark.parametrize("error", [RuntimeError("a mistake"), KeyError("boxes"), ValueError("x")])
def test_a_mistake_of_the_program_has_no_sentence(error):
    assert ending(error) is None
