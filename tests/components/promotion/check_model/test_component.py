import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from kfp import dsl

from components.promotion.check_model.check import Expected, check, expected_of
from components.promotion.check_model.component import check_model
from components.promotion.check_model.page import write_check_page
from components.shared.contracts.model import PackageLayout, RegisteredLayout
from components.shared.contracts.policy import CheckPolicy
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.registry import Registry
from tests.support.faulty_graphs import SERVED
from tests.support.faulty_packages import faulty, good
from tests.support.tiny_snapshots import cell_box, frozen

ROOT = Path(__file__).parents[4]
CELLS = [("train", {(0, 1): 0}), ("test", {(2, 2): 0}), ("test", {(1, 3): 0})]


@pytest.fixture
def snapshot(object_store, tmp_path, monkeypatch):
    """A snapshot of three pictures, two of them for the test."""
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    pictures = [(split, "gate", lit, [cell_box(*spot) for spot in lit]) for split, lit in CELLS]
    return frozen(tmp_path / "snapshot", Objects(object_store), pictures)


@pytest.fixture
def outputs(tmp_path):
    return {
        "checked": dsl.Model(uri=str(tmp_path / "checked")),
        "page": dsl.HTML(uri=str(tmp_path / "page.html")),
    }


def test_pictures_of_the_test_split_are_asked_about_and_no_more_than_allowed(snapshot):
    both = expected_of(snapshot, "", CheckPolicy())
    one = expected_of(snapshot, "", CheckPolicy(max_images=1))

    assert both.jpegs == [snapshot.read(image.sha256) for image in snapshot.images("test")]
    assert len(one.jpegs) == 1
    assert (both.dataset, both.classes) == ("toys", ("car",))
    assert expected_of(None, "toys", CheckPolicy()) == Expected("toys")


def test_the_wrapper_runs_by_hand(snapshot, outputs, tmp_path, capsys):
    package = good(tmp_path / "package")
    model = dsl.Model(uri=str(package.root))

    digest = check_model.python_func(
        model, **outputs, snapshot=dsl.Dataset(uri=str(tmp_path / "snapshot"))
    )

    assert digest == PackageLayout(tmp_path / "checked").verify().digest
    assert f"passed: model {digest[:12]} answers 5 images" in capsys.readouterr().out
    page = (tmp_path / "page.html").read_text()
    assert "may be served" in page
    assert page.count("data:image/jpeg") == 5


def test_the_page_of_a_refusal_says_why_as_text(tmp_path):
    package, policy = faulty(tmp_path / "package", SERVED["custom operator"])
    (package.root / "<b>.txt").write_text("")

    checked = check(package.root, tmp_path / "checked", Expected("toys"), policy)
    write_check_page(checked, policy, tmp_path / "page.html")

    page = (tmp_path / "page.html").read_text()
    assert "&lt;b&gt;.txt is not described" in page
    assert "may be served" not in page


PIPELINE = """
import sys, warnings
from kfp import local
from pipelines.deploy import deploy
warnings.simplefilter("ignore")
local.init(local.SubprocessRunner(use_venv=False), pipeline_root=sys.argv[1])
deploy(dataset="toys", model="challenger")
"""


def test_a_model_that_fails_its_trial_is_never_deployed_and_the_champion_stays(
    database, object_store, tmp_path, monkeypatch
):
    objects = Objects(object_store)
    champion = good(tmp_path / "champion")
    broken, _ = faulty(tmp_path / "broken", SERVED["missing operator"])
    with closing(connect(database)) as connection:
        registry = Registry(connection)
        for package in (champion, broken):
            model = package.verify().digest
            prefix = RegisteredLayout.prefix(model)
            uri = objects.put_folder(f"{prefix}/package", package.root)
            registry.register("toys", model, uri, "0" * 64, {}, {}, "a test", None)
            if package is champion:
                registry.promote("toys", model, None)
        for name, value in {"DATABASE_URL": database, "OBJECT_STORE_URL": object_store}.items():
            monkeypatch.setenv(name, value)  # where models are served, it must never ask
        done = subprocess.run(
            [sys.executable, "-c", PIPELINE, str(tmp_path / "runs")],
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip

        assert done.returncode != 0
        assert "No Op registered for NoSuchOperator" in done.stdout
        assert "Executing task 'deploy-model'" not in done.stdout + done.stderr
        assert registry.champion("toys").model == champion.verify().digest
        assert registry.alias("toys", "challenger").model == broken.verify().digest
    (page,) = (tmp_path / "runs").glob("*/check-model/page")
    assert "NoSuchOperator" in page.read_text()
