import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from components.shared.store.api_keys import list_keys
from pipelines.__main__ import main
from pipelines.local.gateway import key_in_file

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(database, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database)

    def run(*words):
        code = main(["keys", *words])
        return code, capsys.readouterr()

    return run


def test_a_key_is_printed_once_and_listed_without_its_secret(run):
    _, told = run("create", "north-gate", "--role", "camera", "--dataset", "toys")
    key_id, secret = told.out.strip().split("_")[1:]
    _, listed = run("list")

    assert key_id in listed.out
    assert "north-gate" in listed.out
    assert secret not in listed.out


def test_a_revoked_key_says_so(run):
    _, told = run("create", "anna", "--role", "reviewer", "--role", "approver")
    key_id = told.out.strip().split("_")[1]
    run("revoke", key_id)

    assert "revoked 2" in run("list")[1].out


def test_a_key_that_is_not_there_is_one_line_and_exit_code_2(run):
    code, told = run("revoke", "abc")

    assert code == 2
    assert "there is no API key 'abc'" in told.err


def test_a_role_that_is_not_there_is_named_with_those_there_are():
    words = [sys.executable, "-m", "pipelines", "keys", "create", "a", "--role", "boss"]
    process = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env=os.environ)

    assert process.returncode == 2
    assert "'boss'" in process.stderr
    assert "reviewer" in process.stderr


def test_the_key_of_this_machine_is_made_once_for_its_owner_alone(database, connection, tmp_path):
    file = tmp_path / "state" / "admin-key"
    first, again = key_in_file(file, database), key_in_file(file, database)

    (key,) = list_keys(connection)
    assert first == again == file.read_text().strip()
    assert key.roles == ("admin",)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_key_of_this_machine_is_made_again_for_another_database(database, tmp_path):
    file = tmp_path / "admin-key"
    file.write_text("cars_000000000000_00\n")

    assert key_in_file(file, database) != "cars_000000000000_00"
