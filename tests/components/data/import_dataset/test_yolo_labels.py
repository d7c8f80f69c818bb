"""YOLO labels are read in the spellings that people have, or named by what is odd in them."""

import pytest

from components.shared.contracts.errors import UserError
from tests.support.coco_documents import YAML

ALIASES = "a: &a [x, x]\n" + "\n".join(  # more texts than can be printed
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]"
    for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
)


@pytest.mark.parametrize(
    ("label", "content"),
    [
        ("Labels/A.TXT", b"1 .25 .25 .5 .5"),
        ("labels/a.jpg.txt", b"1 .25 .25 .5 .5"),
        ("marks/a.txt", b"1 .25 .25 .5 .5"),
        ("labels/a.txt", "\ufeff1\t.25 2.5e-1 +.5 5E-1\r\n".encode()),
        ("labels/a.txt", "1 .25 .25 .5 .5\n".encode("utf-16")),
        ("labels/a.txt", "1 .25 .25 .5 .5\r1 .25 .25 .5 .5\r".encode("utf-16-be")),
    ],
)
def test_a_yolo_label_is_read_however_it_is_called_and_encoded(found, label, content):
    told = found({"images/a.jpg": None, label: content, "data.yaml": YAML})

    assert [box.edges for box in told.images[0].boxes] == [(0, 0, 0.5, 0.5)]
    assert not told.problems


def test_a_yolo_label_of_another_case_belongs_to_no_image_that_has_its_own(found):
    told = found({"A.jpg": None, "a.jpg": None, "a.txt": "1 .5 .5 .5 .5", "data.yaml": YAML})

    assert [image.name for image in told.images] == ["a.jpg"]
    assert [(p.where, p.reason) for p in told.problems] == [("A.jpg", "label_missing")]


@pytest.mark.parametrize("depth", [2, 3])
def test_a_yolo_box_with_keypoints_is_its_first_four_numbers(found, depth):
    point = ".3 .4 2"[: 2 + 3 * depth - 1].strip() if depth == 3 else ".3 .4"
    label = f"0 .5 .5 .5 .5 {point} {point}"
    yaml = f"{YAML}kpt_shape: [2, {depth}]\n"

    told = found({"a.jpg": None, "a.txt": label, "data.yaml": yaml})

    assert told.images[0].boxes[0].edges == (0.25, 0.25, 0.75, 0.75)


def test_a_confidence_behind_every_box_of_a_file_is_left_out_and_said(found):
    label = "0 .5 .5 .5 .5 .9\n0 .5 .5 .2 .2 .4"
    told = found({"a.jpg": None, "a.txt": label, "data.yaml": YAML})

    assert len(told.images[0].boxes) == 2
    assert told.notes == ("2 lines have a confidence behind the box; it is not used",)


@pytest.mark.parametrize(
    ("label", "yaml", "complaint"),
    [
        ("1 .5 .5 .5 .5", "names: [car]", "every class is 1, data.yaml names only class 0: do"),
        ("1 .5 .5 .5 .5\n2 .5 .5 .5 .5", YAML, "classes are 1, 2, data.yaml names classes 0 to 1"),
        ("1 .5 .5 .5 .5", "", "classes 1, expected a data.yaml with their names; do they count"),
        ("0 320 200 64 48", YAML, "numbers up to 320, expected fractions of 0 to 1: are they in"),
        ("0 .1 .1 .9 .9", YAML, "none does as corners: are they left, top, right and bottom?"),
        ("0 .5 .5 .4 .4 .6 .6 .4 .4 .4 .6 .6 .4", YAML, "expected kpt_shape in data.yaml"),
        ("0 .5 .5 .5 .5", 'names: ["a\\0b"]', r"class of YOLO labels is .a.*x00b., which has a"),
        ("0 .5 .5 .5 .5", 'names: ["\\ud800"]', "which has bytes or surrogates that are no text"),
        ("0 .5 .5 .5 .5", f"names: [{'x' * 5000}]", "class.* has 5,000 characters, expected at"),
        ("0 .5 .5 .5 .5", f"names: {list(range(3000))}", "has 3,000 classes, expected at most"),
        ("0 .5 .5 .5 .5", "names: [[car]]", "names in data.yaml are list, expected a list"),
        ("0 .5 .5 .5 .5", "kpt_shape: x\nnames: [car]", "kpt_shape in data.yaml is 'x', expected"),
        ("0 .5 .5 .5 .5", f"{ALIASES}\nnames: [car]\npath: *k\nkpt_shape: *k", "is another list"),
        ("0 .5 .5 .5 .5", f"names: {'[' * 400}", "data.yaml is no YAML"),
    ],
)  # fmt: skip
def test_a_fault_of_all_yolo_labels_is_said_once(found, label, yaml, complaint):
    files = {"a.jpg": None, "a.txt": label} | ({"data.yaml": yaml} if yaml else {})

    with pytest.raises(UserError, match=complaint) as refusal:
        found(files)
    assert "\n" not in str(refusal.value)


def test_names_of_classes_in_utf_16_are_names(found):
    names = "bus\r\ncar\r\n".encode("utf-16")
    told = found({"a.jpg": None, "a.txt": "1 .5 .5 .5 .5", "classes.txt": names})

    assert told.classes == ("bus", "car")


def test_names_of_classes_in_an_unknown_encoding_are_refused(found):
    with pytest.raises(UserError, match=r"classes.txt is no UTF-8 or UTF-16, expected the names"):
        found({"a.jpg": None, "a.txt": "0 .5 .5 .5 .5", "classes.txt": b"v\xe9hicule\n"})


def test_two_files_that_name_the_classes_otherwise_are_refused(found):
    with pytest.raises(UserError, match=r"x/data.yaml and y/data.yaml give different names"):
        found(
            {"a.jpg": None, "a.txt": "0 .5 .5 .5 .5", "x/data.yaml": YAML,
             "y/data.yaml": "names: [car, bus]"}
        )  # fmt: skip
