"""What a job says aloud never ends it."""

import subprocess
import sys

from components.shared.contracts.progress import log_progress

WORK = """
import sys
from components.shared.contracts.progress import log_progress
log_progress("1 image")
log_progress("2 images")
print("went on", file=sys.stderr)
"""


def test_a_full_disk_ends_no_work():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", WORK], stdout=full, stderr=subprocess.PIPE)

    assert done.stderr.startswith(b"went on\n")


def test_a_name_that_is_no_unicode_is_said_all_the_same(capfd):
    log_progress("refused: \udcff.jpg")

    assert capfd.readouterr().out == "» refused: \\udcff.jpg\n"
