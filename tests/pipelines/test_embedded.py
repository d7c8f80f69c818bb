import os
import signal
import subprocess
import sys
import time

import psutil

from components.shared.store.postgres import connect
from pipelines.local.database import EmbeddedDatabase

HOLDER = """
import sys, time
from pathlib import Path
from pipelines.local.database import EmbeddedDatabase
from pipelines.local.stream import EmbeddedStream
with EmbeddedDatabase(Path(sys.argv[1])) as database, EmbeddedStream(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(60)
"""


def holder(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "up\n"
    return process


def test_the_migrated_database_has_a_lake(database):
    connection = connect(database)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM gold.labelled_frames")

        assert cursor.fetchone() == (0,)
    connection.close()


def test_nothing_outlives_a_killed_owner(tmp_path):
    with holder(tmp_path) as owner:
        children = psutil.Process(owner.pid).children(recursive=True)
        os.kill(owner.pid, signal.SIGKILL)

    gone, alive = psutil.wait_procs(children, timeout=10)

    assert gone
    assert not alive


def test_what_was_stored_is_there_after_a_kill(tmp_path):
    with EmbeddedDatabase(tmp_path) as first:
        connection = connect(first.url())
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept AS SELECT 7 AS value")
        connection.close()
    with holder(tmp_path) as owner:
        os.kill(owner.pid, signal.SIGKILL)
    time.sleep(0.1)

    with EmbeddedDatabase(tmp_path) as again:
        connection = connect(again.url())
        with connection.cursor() as cursor:
            cursor.execute("SELECT value FROM kept")

            assert cursor.fetchone() == (7,)
        connection.close()
