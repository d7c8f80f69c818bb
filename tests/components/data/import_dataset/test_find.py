import json

import pytest

from components.data.import_dataset.find import sentence
from components.data.import_dataset.folder import ImageFolder
from components.shared.contracts.errors import UserError

CSV = "image,xmin,ymin,xmax,ymax\na.jpg,1,2,30,40\n"
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg"}],
    "categories": [{"id": 0, "name": "vehicles"}, {"id": 1, "name": "car"}],
    "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 2, 29, 38]}],
}
YAML = "names: [bus, car]\n"


@pytest.mark.parametrize(
    "files",
    [
        {"images/a.jpg": None, "annotations.csv": CSV},
        {"a.jpg": None, "annotations/instances_all.json": json.dumps(COCO)},
        {"images/a.jpg": None, "labels/a.txt": "1 .25 .25 .5 .5", "data.yaml": YAML},
        {"a.jpg": None, "a.txt": "0 .25 .25 .5 .5"},
    ],
    ids=["CSV", "COCO", "YOLO", "YOLO beside the images"],
)
def test_every_form_is_found_by_itself(found, files):
    told = found(files)

    assert [(len(image.boxes), image.boxes[0].label) for image in told.images] == [(1, "car")]
    assert "car" in told.classes
    assert not told.problems


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/val/a.jpg", "labels/val/a.txt"),
        ("valid/images/a.jpg", "valid/labels/a.txt"),
        ("validation/a.jpg", "validation/a.txt"),
    ],
)
def test_the_split_of_a_yolo_image_is_its_folder(found, image, label):
    (told,) = found({image: None, label: "0 .5 .5 .5 .5"}).images

    assert told.split == "validation"


@pytest.mark.parametrize(
    ("file", "split"),
    [("test/_annotations.coco.json", "test"), ("annotations/instances_val2017.json", "validation")],
)
def test_the_split_of_coco_is_in_its_name(found, file, split):
    (told,) = found({"test/a.jpg": None, file: json.dumps(COCO)}).images

    assert told.split == split


def test_a_coco_category_that_nothing_belongs_to_is_no_class(found):
    assert found({"a.jpg": None, "a.json": json.dumps(COCO)}).classes == ("car",)


def test_crowds_are_left_out_and_counted(found):
    crowd = {"id": 6, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 1}
    told = found(
        {"a.jpg": None, "a.json": json.dumps(COCO | {"annotations": [*COCO["annotations"], crowd]})}
    )

    assert len(told.images[0].boxes) == 1
    assert told.notes == ("1 crowds are left out",)


def test_the_form_that_says_more_wins_and_the_other_is_named(found):
    rich = "image,split,group,xmin,ymin,xmax,ymax\na.jpg,valid,clip,1,2,3,4\n"
    told = found({"images/a.jpg": None, "labels/a.txt": "", "a.yaml": YAML, "b.csv": rich})

    assert sentence(told) == "CSV b.csv with 1 images, splits and groups given"
    assert told.notes == ("not used, has fewer labels: YOLO labels",)
    assert (told.images[0].split, told.images[0].group) == ("validation", "clip")


def test_an_empty_yolo_label_is_a_background_and_a_missing_one_is_not(found):
    told = found(
        {"a.jpg": None, "a.txt": "0 .5 .5 .5 .5", "b.jpg": None, "b.txt": "", "c.jpg": None}
    )

    assert [(image.name, len(image.boxes)) for image in told.images] == [("a.jpg", 1), ("b.jpg", 0)]
    assert [(p.where, p.reason) for p in told.problems] == [("c.jpg", "label_missing")]


def test_a_csv_line_without_a_box_is_a_background(found):
    told = found({"a.jpg": None, "b.jpg": None, "a.csv": CSV + "b.jpg,,,,\n"})

    assert [len(image.boxes) for image in told.images] == [1, 0]
    assert not told.problems


def test_a_stray_quote_harms_no_other_line(found):
    told = found({"a.jpg": None, "b.jpg": None, "a.csv": CSV + '"b.jpg,1,2,3,4\nb.jpg,1,2,3,4\n'})

    assert [len(image.boxes) for image in told.images] == [1, 1]
    assert [[(p.where, p.reason) for p in image.problems] for image in told.images] == [
        [], [("a.csv:3", "unreadable_line")],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a.jpg,1,2,3", "unreadable_line"),
        ("a.jpg,1,2,x,4,car", "unreadable_line"),
        ("a.jpg,1,,3,4,car", "unreadable_line"),
        ("a.jpg,1,2,nan,4,car", "unreadable_line"),
        ("a.jpg,1,2,3,4,", "missing_class"),
    ],
)
def test_a_bad_csv_line_is_named_and_counts_against_its_image(found, line, reason):
    text = f"image,xmin,ymin,xmax,ymax,class\na.jpg,1,2,3,4,car\n{line}\n"
    (told,) = found({"a.jpg": None, "a.csv": text}).images

    assert [(p.where, p.reason) for p in told.problems] == [("a.csv:3", reason)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("7 .5 .5 .5 .5", "unknown_class"),
        ("-1 .5 .5 .5 .5", "unknown_class"),
        (".5 .5 .5 .5", "missing_class"),
        ("0 .5 .5 .5 wide", "unreadable_line"),
        ("0 .5 .5 .5 .5 .9", "unreadable_line"),
    ],
)
def test_a_bad_yolo_line_is_named(found, line, reason):
    (told,) = found({"a.jpg": None, "a.txt": f"1 .5 .5 .5 .5\n{line}", "data.yaml": YAML}).images

    assert [(p.where, p.reason) for p in told.problems] == [("a.txt:2", reason)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"category_id": 9}, "unknown_class"),
        ({"category_id": None}, "missing_class"),
        ({"bbox": [1, 2, 3]}, "unreadable_box"),
        ({"bbox": [1, 2, None, 4]}, "unreadable_box"),
    ],
)
def test_a_bad_coco_box_is_named(found, change, reason):
    bad = COCO["annotations"][0] | {"id": 6} | change
    document = COCO | {"annotations": [*COCO["annotations"], bad]}
    (told,) = found({"a.jpg": None, "a.json": json.dumps(document)}).images

    assert [(p.where, p.reason) for p in told.problems] == [("a.json: annotation 6", reason)]


def test_labels_of_images_that_are_not_there_are_named(found):
    told = found({"a.jpg": None, "a.csv": CSV + "b.jpg,1,2,3,4\n../../c.jpg,1,2,3,4\n"})

    assert [(p.where, p.reason) for p in told.problems] == [
        ("a.csv:3", "image_missing"),
        ("a.csv:4", "image_missing"),
    ]


def test_an_unsupported_picture_is_named(found):
    told = found({"a.jpg": None, "b.tiff": "x", "a.csv": CSV})

    assert [(p.where, p.reason) for p in told.problems] == [("b.tiff", "unsupported_format")]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"README.md": "x"}, "has no images, expected some of"),
        ({"a.jpg": None}, "has 1 images but no annotations, expected"),
        ({"a.jpg": None, "a.csv": "image,xmin,ymin,xmax,ymax\na.jpg,,,,"}, "has no box"),
        ({"a.jpg": None, "a.json": "{"}, "a.json is no JSON"),
        ({"a.jpg": None, "a.txt": "3 .5 .5 .5 .5"}, "classes 3, expected a data.yaml"),
        ({"a.jpg": None, "a.txt": "0 .5 .5 .5 .5", "b.yaml": "{"}, "b.yaml is no YAML"),
        ({"a.jpg": None, "a.txt": "0 .5 .5 .5 .5", "b.yaml": "names: 3"}, "names in b.yaml are 3"),
    ],
)
def test_what_cannot_be_imported_is_refused_in_one_sentence(found, files, complaint):
    with pytest.raises(UserError, match=complaint) as refusal:
        found(files)

    assert "\n" not in str(refusal.value)


def test_a_file_or_nothing_is_no_folder(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(UserError, match="is a file, expected a folder"):
        ImageFolder(tmp_path / "file")
    with pytest.raises(UserError, match="is not there, expected a folder"):
        ImageFolder(tmp_path / "gone")
