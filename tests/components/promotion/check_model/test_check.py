import re
import sys
from pathlib import Path

import psutil
import pytest

from components.promotion.check_model.check import Expected, check
from components.shared.contracts.absence import absence, mark_absent
from components.shared.contracts.errors import JobError, UserError
from components.shared.contracts.model import PackageLayout, RegisteredLayout
from components.shared.contracts.policy import CheckPolicy
from tests.support.faulty_graphs import SERVED
from tests.support.faulty_packages import FILES, PICTURES, faulty, good

EXPECTED = Expected("toys", ("car",), PICTURES)
TRIED = ("hang in load", "hang in an answer", "out of memory", "NaN", "missing operator")


@pytest.fixture
def tried(tmp_path):
    """Check what is made of a package, and see that nobody is left behind."""

    def run(package, policy=None, expected=EXPECTED, **more):
        before = {child.pid for child in psutil.Process().children(recursive=True)}
        checked = check(package, tmp_path / "checked", expected, policy or CheckPolicy(), **more)
        left = {child.pid for child in psutil.Process().children(recursive=True)} - before
        assert not left
        return checked

    return run


def test_a_package_without_a_fault_passes_byte_for_byte(tried, tmp_path):
    package = good(tmp_path / "package")

    checked = tried(package.root)

    passed = PackageLayout(tmp_path / "checked").verify()
    assert passed.digest == package.verify().digest == checked.passed(must_pass=True)
    assert "answers 5 images" in checked.sentence
    assert [len(boxes) for boxes in checked.measured.boxes] == [2, 1, 0, 1, 1]
    assert 50 < checked.measured.memory_mb < 1000


@pytest.mark.parametrize("name", FILES)
def test_what_the_files_tell_is_refused_before_anything_runs(tried, tmp_path, name):
    package, policy = faulty(tmp_path / "package", FILES[name])

    checked = tried(package.root, policy, server=("/nowhere/no-server",))

    assert re.search(FILES[name].word, checked.reason)
    assert absence(tmp_path / "checked") == checked.reason


@pytest.mark.parametrize("name", TRIED)
def test_a_faulty_package_is_refused_by_what_it_does_in_the_server(tried, tmp_path, name):
    package, policy = faulty(tmp_path / "package", SERVED[name])

    checked = tried(package.root, policy)

    assert re.search(SERVED[name].word, checked.reason)
    assert checked.passed(must_pass=False) == ""
    assert absence(tmp_path / "checked") == checked.reason
    assert not (tmp_path / "checked" / "model.onnx").exists()


def test_a_server_that_dies_of_a_package_is_told_by_its_signal(tried, tmp_path):
    command = (sys.executable, "-m", "tests.standins.crashing_server")

    checked = tried(good(tmp_path / "package").root, server=command)

    assert checked.reason.endswith("the server crashes with SIGSEGV while it loads the package")


@pytest.mark.parametrize(
    ("program", "limits", "complaint"),
    [
        ("import sys; print('no port', file=sys.stderr); sys.exit(3)", {},
         "ends with exit code 3 while it starts; end of its log: no port"),
        ("import time; time.sleep(60)", {"max_start_s": 0.5}, "hangs and is killed after 0.5 s"),
        ("import os; os.fork(); bytearray(10**10)", {}, "out of memory|MemoryError"),
    ],
    ids=["ends", "hangs", "no memory"],
)  # fmt: skip
def test_a_server_that_does_not_start_says_nothing_of_the_package(
    tried, tmp_path, program, limits, complaint
):
    package = good(tmp_path / "package").root

    with pytest.raises(JobError, match=f"without any package, the server .*{complaint}"):
        tried(package, CheckPolicy(**limits), server=(sys.executable, "-c", program))
    assert not (tmp_path / "checked").exists()


def test_an_absent_package_stays_absent_for_its_own_reason(tried, tmp_path):
    mark_absent(tmp_path / "package", "nothing new to learn")

    checked = tried(tmp_path / "package", server=("/nowhere/no-server",))

    assert absence(tmp_path / "checked") == checked.reason == "nothing new to learn"
    assert checked.sentence == "skipped: nothing new to learn"
    assert checked.passed(must_pass=False) == ""
    with pytest.raises(UserError, match="nothing new to learn"):
        checked.passed(must_pass=True)


def test_what_was_there_before_does_not_outlive_a_refusal(tried, tmp_path):
    good(tmp_path / "checked")
    package, policy = faulty(tmp_path / "package", FILES["changed byte"])

    tried(package.root, policy, server=("/nowhere/no-server",))

    assert [file.name for file in (tmp_path / "checked").iterdir()] == ["absent.json"]


def test_of_a_registered_version_the_package_is_tried(tried, tmp_path):
    layout = RegisteredLayout(tmp_path / "registered")
    good(layout.package)
    (layout.package / "config.pbtxt").write_text("changed")

    checked = tried(layout.root, server=("/nowhere/no-server",))

    assert "config.pbtxt has digest" in checked.reason


def test_an_empty_folder_is_no_package(tried, tmp_path):
    Path(tmp_path / "package").mkdir()

    assert "no package.json" in tried(tmp_path / "package").reason
