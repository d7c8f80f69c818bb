"""A worker adds up in a way that there is."""

import pytest

from components.contracts.refusal import Refusal
from components.train_detector.devices import WAYS, strategy_for


@pytest.mark.parametrize("way", WAYS)
def test_one_worker_needs_no_other_whatever_the_way(way):
    assert strategy_for(0, 1, way).num_replicas_in_sync == 1


def test_an_unknown_way_is_refused():
    with pytest.raises(Refusal, match="communication is 'mpi', expected one of ring, nccl, auto"):
        strategy_for(0, 2, "mpi")
