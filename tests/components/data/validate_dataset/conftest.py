"""A draft of a snapshot."""

import pytest

from components.shared.store.objects import Objects
from tests.support.draft_snapshots import Draft


@pytest.fixture
def draft(tmp_path, object_store):
    (tmp_path / "snapshot").mkdir()
    return Draft(tmp_path / "snapshot", Objects(object_store))
