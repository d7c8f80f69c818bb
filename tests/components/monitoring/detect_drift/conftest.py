"""A champion with its windows."""

import pytest

from tests.support.drift_windows import Scene


@pytest.fixture
def scene(tmp_path, object_store, tiny_package):
    return Scene(tmp_path, object_store, tiny_package)
