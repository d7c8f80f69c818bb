"""Splits that the owner of a data set told, in any form, are kept; namesakes are told apart."""

import pytest

from tests.support.coco_documents import CSV, YAML, coco

LISTS = {
    "images/a.jpg": None, "images/b.jpg": None, "images/c.jpg": None,
    "labels/a.txt": "0 .5 .5 .5 .5", "labels/b.txt": "", "labels/c.txt": "",
}  # fmt: skip


@pytest.mark.parametrize(
    "files",
    [
        {
            "data.yaml": f"{YAML}train: train.txt\nval: held_out.txt\n",
            "train.txt": "./images/a.jpg\n",
            "held_out.txt": "./images/b.jpg",
        },
        {
            "autosplit_train.txt": "/home/me/images/a.jpg\n",
            "autosplit_val.txt": "C:\\x\\b.jpg\r\n",
        },
        {"ImageSets/Main/train.txt": "a\n", "ImageSets/Main/val.txt": "b\n"},
        {
            "obj.data": "classes = 2\ntrain = data/train.txt\nvalid = data/other.txt\n",
            "data/train.txt": "data/obj/a.jpg\n",
            "data/other.txt": "data/obj/b.jpg\n",
        },
    ],
    ids=["data.yaml", "paths of another machine", "Pascal VOC", "darknet"],
)
def test_splits_that_lists_tell_are_kept(found, files):
    told = found(LISTS | {"classes.txt": "bus\ncar"} | files)

    assert [image.split for image in told.images] == ["train", "validation", None]
    assert not told.problems


def test_splits_that_a_data_yaml_tells_by_folders_are_kept_and_missing_ones_named(found):
    yaml = f"{YAML}train: ../first\nval: second\ntest: ../third/images\n"
    told = found(
        {"first/a.jpg": None, "first/a.txt": "0 .5 .5 .5 .5", "second/b.jpg": None,
         "second/b.txt": "", "data.yaml": yaml}
    )  # fmt: skip

    assert [image.split for image in told.images] == ["train", "validation"]
    assert told.notes == ("data.yaml names ../third/images, which are not there",)


def test_an_image_in_two_lists_is_refused(found):
    lists = {"train.txt": "images/a.jpg", "val.txt": "images/a.jpg\nimages/gone.jpg"}
    told = found(LISTS | lists)

    assert [p.reason for p in told.images[0].problems] == ["conflicting_split"]
    assert [(p.where, p.reason) for p in told.problems] == [("val.txt:2", "image_missing")]


def test_equal_names_in_two_splits_are_told_apart_by_the_annotations_file(found):
    other = coco({"bbox": [5, 5, 9, 9]})
    told = found(
        {"train2017/a.jpg": None, "val2017/a.jpg": None, "annotations/instances_train2017.json":
         coco(), "annotations/instances_val2017.json": other}
    )  # fmt: skip

    assert [(i.name, i.split, i.boxes[0].edges[0]) for i in told.images] == [
        ("train2017/a.jpg", "train", 1), ("val2017/a.jpg", "validation", 5),
    ]  # fmt: skip


def test_boxes_of_an_image_that_is_not_there_do_not_go_to_its_namesake(found):
    told = found(
        {"val/a.jpg": None, "train.csv": f"{CSV}a.jpg,1,2,3,4,car\n",
         "val.csv": f"{CSV}a.jpg,5,5,9,9,car\n"}
    )  # fmt: skip

    assert [box.edges[0] for box in told.images[0].boxes] == [5]
    assert [(p.where, p.reason) for p in told.problems] == [("train.csv:2", "image_missing")]
