import signal
import subprocess
import sys

import pytest

BUSY = """
import threading
from components.data.ingest_events import stop
stop.GRACE_S = 0.2
stop.Stop()
print("ready", flush=True)
lock = threading.Lock()
lock.acquire()
lock.acquire()
"""
IDLE = """
import time
from components.data.ingest_events.stop import Stop
stop = Stop()
print("ready", flush=True)
while not stop.requested:
    time.sleep(0.01)
"""
SLOW_TO_END = IDLE + "import atexit; atexit.register(time.sleep, 30)"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("program", [BUSY, IDLE, SLOW_TO_END])
def test_a_signal_ends_the_service_with_0_whatever_it_does(program, number):
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)

    assert process.wait(20) == 0
    process.stdout.close()


def test_work_that_must_be_finished_does_not_end_with_0_when_it_is_stopped():
    program = BUSY.replace("stop.Stop()", "stop.Stop(143)")
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 143
    process.stdout.close()
