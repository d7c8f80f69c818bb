"""Snapshots of tiny scenes, and the folders that the evaluator takes."""

import shutil

import pytest

from components.shared.contracts.absence import mark_absent
from components.shared.contracts.model import RegisteredLayout
from components.shared.store.objects import Objects
from tests.support.tiny_snapshots import PICTURES, frozen


@pytest.fixture
def freeze(tmp_path, object_store):
    def make(pictures=PICTURES, classes=("car",)):
        return frozen(tmp_path / "snapshot", Objects(object_store), pictures, classes)

    return make


@pytest.fixture
def folders(tiny_package, tmp_path):
    """Make the three folders that the evaluator takes; a role without a shift is absent."""

    def make(fine_tuned=None, from_scratch=None, champion=None, **options):
        made = {}
        for role, shift in (
            ("fine_tuned", fine_tuned),
            ("from_scratch", from_scratch),
            ("champion", champion),
        ):
            made[role] = tmp_path / f"{role}-input"
            package = RegisteredLayout(made[role]).package if role == "champion" else made[role]
            if shift is None:
                mark_absent(made[role], f"no {role} today")
            else:
                shutil.copytree(tiny_package(shift=shift, **options).root, package)
        return made

    return make
