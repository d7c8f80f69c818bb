"""TensorFlow is imported without what it can do without, and not searched for garbage."""

import subprocess
import sys

WORDS = """
import gc, sys
from components.training.train_detector.worker.environment import (
    UNUSED_PACKAGES, import_tensorflow_slim
)
import_tensorflow_slim()
assert "tensorflow" in sys.modules
print([name for name in UNUSED_PACKAGES if name in sys.modules])
print(gc.isenabled(), gc.get_freeze_count() > 100_000)
import matplotlib
"""


def test_tensorflow_comes_alone_unsearched_for_garbage_and_the_rest_when_it_is_asked_for():
    done = subprocess.run([sys.executable, "-c", WORDS], check=True, stdout=subprocess.PIPE)

    assert done.stdout == b"[]\nTrue True\n"
