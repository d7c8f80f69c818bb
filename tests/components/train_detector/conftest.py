"""What tests of trainings share: one that nothing disturbed."""

import pytest
from kfp import dsl

from components.contracts.absence import mark_absent
from components.store.objects import Objects
from components.train_detector.component import train_detector
from tests.components.train_detector.toys import write_snapshot


@pytest.fixture(scope="session")
def outcome(tmp_path_factory):
    """Run the component itself, with two real workers."""
    root = tmp_path_factory.mktemp("component")
    store = Objects((root / "objects").as_uri())
    write_snapshot(root / "snapshot", store)
    mark_absent(root / "champion", "the registry is empty")
    artifacts = {
        "snapshot": dsl.Dataset(uri=str(root / "snapshot")),
        "champion": dsl.Model(uri=str(root / "champion")),
        "trained": dsl.Model(uri=str(root / "trained")),
        "curves": dsl.HTML(uri=str(root / "curves.html")),
        "metrics": dsl.Metrics(uri=str(root / "metrics")),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBJECT_STORE_URL", store.url)
        train_detector.python_func(**artifacts, image_size=64, epochs=6, batch_size=4)
    return artifacts
