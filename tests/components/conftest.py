"""What the tests of several rooms share."""

from pathlib import Path

import pytest

from components.contracts.model import PackageLayout
from components.contracts.record import write_lines
from tests.components.inference.tiny import golden_answers, seal, tiny_graph
from tests.components.serve_detector.running import Running


@pytest.fixture
def tiny_package(tmp_path):
    """Make packages whose network is `tiny_graph`; each with three golden pictures.

    Arguments of what it returns: `folder` (a new one if None), `dataset`, `classes`,
    `width` and `height` (multiples of 16), `shift` (pixels; another shift is another model).
    """
    made = iter(range(1000))

    def make(
        folder: Path | None = None,
        dataset: str = "toys",
        classes: tuple[str, ...] = ("car",),
        width: int = 64,
        height: int = 64,
        shift: float = 0.0,
    ) -> PackageLayout:
        layout = PackageLayout(folder or tmp_path / f"package-{next(made)}")
        (layout.root / "golden").mkdir(parents=True)
        graph = tiny_graph(len(classes), width, height, shift)
        layout.model.write_bytes(graph.SerializeToString())
        layout.triton.write_text(f'name: "{dataset}"\n')
        write_lines(golden_answers(layout.root, classes[0], width, height, shift), layout.golden)
        seal(layout, dataset, classes, width, height)
        return layout

    return make


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests; those who need to know what is served take a name of their own."""
    running = Running(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def start_server(tmp_path):
    """Start servers of one's own, with more environment."""
    started = []

    def start(**environment):
        started.append(Running(tmp_path, **environment))
        return started[-1]

    yield start
    for running in started:
        running.stop()
