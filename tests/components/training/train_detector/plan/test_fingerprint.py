import ast
import sys
from importlib.resources import files

import pytest

from components.training.train_detector.plan.fingerprint import (
    PACKAGES,
    installed,
    meaning,
    parts,
    sources,
)

COMPONENTS = files("components")
PLACES = {
    "fit": "training/train_detector/learning/fit",
    "deep": "training/train_detector/learning/deep/er",
    "page": "training/train_detector/report/page",
    "launcher": "training/train_detector/launchers/tfjob",
    "boxes": "shared/vision/boxes",
}
VERSIONS = {"tensorflow": "2.21.0"}
STANDARD = {"pydantic", "yaml"}  # read what a person wrote, and compute nothing
DECIDING = {
    "shared.contracts": "absence annotation choices errors events model record "
    "snapshot stopping values",
    "shared.contracts.policy": "field training",
    "shared.network": "architecture assign decode layers loss network restore tensors",
    "shared.vision": "boxes exif jpeg jpeg_structure letterbox precision suppression",
    "training.train_detector.plan": "history plan recipe settings",
    "training.train_detector.data": "augment color_jitter crops disk_cache input_pipeline sampler "
    "split training_images validation_images",
    "training.train_detector.learning": "adamw all_reduce checkpoint checkpointing fit flatten "
    "loss_scale run state trainer validate warm_start worker_group",
}


@pytest.fixture
def folder(tmp_path):
    """Write modules into a folder `components`, and return what their digest is made of."""

    def folder(**modules):
        for module, source in modules.items():
            file = tmp_path / "components" / f"{PLACES[module]}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source)
        return parts(tmp_path / "components", VERSIONS)

    return folder


def test_what_decides_is_this_list():
    assert set(sources(COMPONENTS)) == {
        f"{folder}.{name}" for folder, names in DECIDING.items() for name in names.split()
    }


def test_every_package_that_computes_is_in_it_with_its_version():
    imported = {
        name.split(".")[0]
        for source in sources(COMPONENTS).values() for node in ast.walk(ast.parse(source))
        for name in names_of(node)
    }  # fmt: skip
    known = {name.replace("-", "_").replace("pillow", "PIL") for name in PACKAGES}

    assert third_party(imported) - STANDARD == known
    assert all(installed().values())


def names_of(node):
    if isinstance(node, ast.Import):
        return [it.name for it in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def third_party(names):
    return {name for name in names if name not in sys.stdlib_module_names} - {"components"}


def test_another_rule_is_another_training(folder):
    assert folder(fit="rate = 1") != folder(fit="rate = 2")


def test_a_module_counts_at_any_depth(folder):
    assert folder(deep="rate = 1") != folder(deep="rate = 2")


def test_another_version_of_a_package_is_another_training(tmp_path):
    assert parts(tmp_path, VERSIONS) != parts(tmp_path, {"tensorflow": "2.22.0"})


def test_a_page_or_a_launcher_is_not_in_it(folder):
    before = folder(fit="rate = 1")

    assert folder(page="a = 1", launcher="b") == before


def test_a_shared_module_counts_from_the_day_that_something_imports_it(folder):
    unused = folder(fit="rate = 1", boxes="a = 1")
    used = folder(fit="from components.shared.vision.boxes import a\nrate = a")

    assert "boxes" not in unused
    assert "boxes" in used


def test_a_module_that_is_imported_by_its_name_counts_too(folder):
    used = "from components.shared.vision import boxes\nrate = boxes.a"

    assert "boxes" in folder(fit=used, boxes="a = 1")


def test_moving_a_module_changes_nothing():
    before = "from components.vision.boxes import a\nfrom components.contracts.record import b\n"
    after = (
        "from components.shared.contracts.record import b\n"
        "from components.shared.vision.boxes import a\n"
    )

    assert meaning(before) == meaning(after)


@pytest.mark.parametrize(
    "other",
    [
        '"""Another docstring."""\ndef f(a):\n    log_progress("one")\n    return a\n',
        '"""Doc."""\ndef f(a):  # a comment\n\n    log_progress(f"{a}")\n    return (a)\n',
        '"""Doc."""\ndef f(a):\n    """What it does."""\n    return a\n',
    ],
)
def test_words_for_people_change_nothing(other):
    source = '"""Doc."""\ndef f(a):\n    log_progress("two")\n    return a\n'

    assert meaning(source) == meaning(other)


def test_the_words_that_describe_a_field_change_nothing():
    assert meaning('a = Field(default=1, description="x")') == meaning("a = Field(default=1)")
    assert meaning("a = Field(default=1)") != meaning("a = Field(default=2)")
