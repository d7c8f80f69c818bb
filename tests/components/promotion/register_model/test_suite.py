import pytest

from components.promotion.register_model.suite import check_suite
from components.shared.contracts.annotation import Box
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import RegisteredLayout
from components.shared.contracts.record import write_lines
from components.shared.contracts.report import HardCase, ReferencesLayout
from components.shared.store.objects import Objects

CHAMPION = "c" * 64
CAR = Box(x_min=1, y_min=1, x_max=9, y_max=9, label="car")
OLD, NEW = (HardCase(sha256=digit * 64, kind="object", box=CAR) for digit in "12")


@pytest.fixture
def objects(object_store, tmp_path):
    """A store whose champion came with one hard case."""
    layout = RegisteredLayout(tmp_path / "champion")
    write_lines([OLD], layout.hard)
    objects = Objects(object_store)
    objects.put_folder(RegisteredLayout.prefix(CHAMPION), layout.root)
    return objects


def left(tmp_path, *cases):
    suite = ReferencesLayout(tmp_path / "references").hard("from_scratch")
    write_lines(cases, suite)
    return suite


def test_a_suite_that_grew_is_taken(objects, tmp_path):
    check_suite(objects, left(tmp_path, NEW, OLD), CHAMPION)


def test_a_suite_that_lacks_a_case_is_refused_by_its_image(objects, tmp_path):
    with pytest.raises(UserError, match=r"lack one of champion cccccccccccc, a car on image 1111"):
        check_suite(objects, left(tmp_path, NEW), CHAMPION)


@pytest.mark.parametrize("champion", [None, "d" * 64], ids=["nobody", "one before suites"])
def test_without_a_suite_before_any_is_taken(objects, tmp_path, champion):
    check_suite(objects, left(tmp_path), champion)
