"""Damaged annotation files of every form end in right boxes or in a refusal, never in others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.shared.contracts.errors import UserError
from tests.support.damaged_datasets import (
    FORMS,
    GARBAGE,
    KINDS,
    SIZES,
    mutate,
    read,
    wrong,
)


@pytest.fixture(scope="module", params=FORMS)
def written(request, tmp_path_factory):
    """One form's files, and the folder they are written to."""
    root = tmp_path_factory.mktemp("form")
    files = FORMS[request.param]
    for name in (*SIZES, *files):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(files.get(name, ""))
    return root, files


def test_an_unharmed_data_set_is_read_whole(written):
    root, _ = written

    images = read(root)
    assert wrong(images) == []
    assert None not in images.values()


@settings(max_examples=20)
@given(data=st.data())
def test_damage_leads_to_right_boxes_or_to_a_refusal(written, data):
    root, files = written
    name = data.draw(st.sampled_from(sorted(files)))
    damage = (
        data.draw(st.sampled_from(KINDS)), files[name], data.draw(st.integers(0, 9_999)),
        data.draw(st.sampled_from(GARBAGE)),
    )  # fmt: skip
    (root / name).write_bytes(mutate(*damage))
    try:
        images = read(root)
    except UserError as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017 (a refusal is one of two right ends)
    else:
        assert wrong(images) == []
    finally:
        (root / name).write_text(files[name])
