"""A champion to roll another model out against."""

import pytest

from components.shared.store.objects import Objects


@pytest.fixture
def champion(registry, object_store, tiny_package):
    """A registered package that serves."""
    package = tiny_package(dataset="drilled")
    model = package.verify().digest
    Objects(object_store).put_folder(f"models/{model}/package", package.root)
    registry.register("drilled", model, "", "0" * 64, {}, {"map50": 0.5}, "it is better")
    return registry.promote("drilled", model, None)
