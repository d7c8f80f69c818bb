"""Reports that were written before roles were renamed can be read."""

import pytest
from pydantic import TypeAdapter

from components.shared.contracts.report import Role


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("heir", "fine_tuned"), ("challenger", "from_scratch"), ("champion", "champion"),
        ("from_scratch", "from_scratch"),
    ],
)  # fmt: skip
def test_a_role_of_before_is_read_as_what_it_is_called_now(written, read):
    assert TypeAdapter(Role).validate_python(written) == read
    assert TypeAdapter(dict[Role, str]).validate_python({written: "why"}) == {read: "why"}
