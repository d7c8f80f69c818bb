"""A worker adds up in a way that there is, and has the threads that it is told."""

import subprocess
import sys

import pytest

from components.shared.contracts.errors import UserError
from components.training.train_detector.worker.devices import WAYS, strategy_for

WORDS = """
from components.training.train_detector.worker.environment import import_tensorflow_slim
import_tensorflow_slim()
from tensorflow import config
from components.training.train_detector.worker.devices import use_threads
use_threads(1)
print(config.threading.get_intra_op_parallelism_threads())
print(config.threading.get_inter_op_parallelism_threads())
"""


@pytest.mark.parametrize("way", WAYS)
def test_one_worker_needs_no_other_whatever_the_way(way):
    assert strategy_for(0, 1, way).num_replicas_in_sync == 1


def test_an_unknown_way_is_refused():
    with pytest.raises(UserError, match="communication is 'mpi', expected one of ring, nccl, auto"):
        strategy_for(0, 2, "mpi")


def test_with_one_thread_one_operation_runs_at_a_time():
    done = subprocess.run([sys.executable, "-c", WORDS], check=True, stdout=subprocess.PIPE)

    assert done.stdout == b"1\n1\n"
