"""What the tests of several rooms share."""

import pytest

from tests.support.running_servers import Running


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
