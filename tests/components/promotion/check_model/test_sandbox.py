import json
import os
import socket
import sys
import time

import psutil
import pytest

from components.promotion.check_model.faults import PackageRejectedError
from components.promotion.check_model.sandbox import Sandbox
from components.shared.contracts.policy import CheckPolicy

LOOK = """
import json, os, resource, socket, sys
def tried(call):
    try: call()
    except OSError as refused: return type(refused).__name__
port = int(sys.argv[2])
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen()
found = {
    "environment": sorted(os.environ), "cwd": os.getcwd(), "stdin": os.read(0, 1).decode(),
    "leads": os.getsid(0) == os.getpid(),
    "limits": [resource.getrlimit(kind)[0] for kind in (
        resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE, resource.RLIMIT_NOFILE)],
    "connect": tried(lambda: socket.create_connection(("127.0.0.1", port), 5)),
    "send": tried(lambda: socket.socket().sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", port))),
    "datagram": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
}
with open(sys.argv[1] + ".new", "w") as file:
    json.dump(found, file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""


@pytest.fixture
def found(tmp_path, monkeypatch):
    """What a program in the sandbox sees."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    (tmp_path / "home").mkdir()
    answer = tmp_path / "home" / "found.json"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        command = (sys.executable, "-c", LOOK, str(answer), str(listener.getsockname()[1]))
        policy = CheckPolicy(max_memory_mb=300, max_cpu_s=7)
        with Sandbox(command, tmp_path / "home", policy) as sandbox:
            sandbox.until(answer.exists)
    return json.loads(answer.read_text())


def test_a_program_that_is_shut_in_has_nothing_of_ours_and_calls_nobody(found, tmp_path):
    assert "AWS_SECRET_ACCESS_KEY" not in found["environment"]
    assert set(found["environment"]) <= {
        "PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONWARNINGS",
        "HOME", "TMPDIR", "LANG", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX",
        "LC_CTYPE",
    }  # fmt: skip
    assert found["cwd"] == str(tmp_path / "home")
    assert (found["stdin"], found["leads"]) == ("", True)
    assert found["limits"] == [300 * 10**6, 7, 0, 256]
    assert (found["connect"], found["send"], found["datagram"]) == ("PermissionError",) * 3


def test_one_that_has_ended_is_faulty_and_not_measured(tmp_path):
    with Sandbox((sys.executable, "-c", "raise SystemExit(3)"), tmp_path, CheckPolicy()) as sandbox:
        os.waitid(os.P_PID, sandbox._process.pid, os.WEXITED | os.WNOWAIT)
        with (
            pytest.raises(PackageRejectedError, match="while it rests"),
            sandbox.within(5, "rests"),
        ):
            sandbox.peak_memory_mb()


def test_whoever_it_started_ends_with_it(tmp_path):
    program = "import os, time; os.fork(); os.fork(); open('up', 'w'); time.sleep(60)"

    with Sandbox((sys.executable, "-c", program), tmp_path, CheckPolicy()) as sandbox:
        sandbox.until((tmp_path / "up").exists)
        group = os.getpgid(sandbox._process.pid)
        time.sleep(0.1)
        assert len(members(group)) >= 2

    end = time.monotonic() + 10  # they are killed by now, and on a loaded machine not gone yet
    while members(group) and time.monotonic() < end:
        time.sleep(0.01)
    assert members(group) == []


def members(group):
    """Whoever of a process group still runs; the dead may wait for init to count them."""
    found = []
    for process in psutil.process_iter():
        try:
            runs = process.status() != psutil.STATUS_ZOMBIE
            if runs and os.getpgid(process.pid) == group:
                found.append(process.pid)
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue
    return found


def test_it_ends_when_who_watches_it_is_killed(tmp_path):
    watcher = (
        "import sys, time; from pathlib import Path\n"
        "from components.promotion.check_model.sandbox import Sandbox\n"
        "from components.shared.contracts.policy import CheckPolicy\n"
        "s = Sandbox((sys.executable, '-c', 'import time; open(\"up\", \"w\"); time.sleep(60)'),"
        " Path(sys.argv[1]), CheckPolicy())\n"
        "Path(sys.argv[1], 'pid').write_text(str(s._process.pid))\n"
        "time.sleep(60)"
    )
    process = psutil.Popen([sys.executable, "-c", watcher, str(tmp_path)])
    while not (tmp_path / "up").exists() or not (tmp_path / "pid").exists():
        assert process.poll() is None
        time.sleep(0.01)
    inner = psutil.Process(int((tmp_path / "pid").read_text()))
    process.kill()
    process.wait()

    psutil.wait_procs([inner], timeout=10)

    assert not inner.is_running() or inner.status() == psutil.STATUS_ZOMBIE
