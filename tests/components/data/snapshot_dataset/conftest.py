"""A lake of labelled frames."""

import pytest

from components.shared.store.objects import Objects
from tests.support.labelled_frames import Lake


@pytest.fixture
def lake(connection, object_store):
    return Lake(connection, Objects(object_store))
