"""Every form that people have their labels in is read, or named by what is odd in it."""

import json

import pytest

from components.data.import_dataset.check import check
from components.shared.contracts.errors import UserError
from tests.support.coco_documents import CSV, YAML, coco

VOC = """<annotation><filename>{name}</filename><size><width>64</width><height>48</height></size>
<object><name>car</name><difficult>1</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax>
<ymax>40</ymax></bndbox></object></annotation>"""
CVAT = """<annotations><image id="0" name="a.jpg" width="64" height="48" subset="Validation">
<box label="car" xtl="1" ytl="2" xbr="30" ybr="40"/></image></annotations>"""
KITTI = """car 0.00 0 -1.5 1 2 30 40 1.5 1.6 3.7 -2.7 1.7 3.6 -1.5
DontCare -1 -1 -10 0 0 9 9 -1 -1 -1 0 0 0 0"""
LABELME = {"shapes": [{"label": "car", "points": [[30, 2], [1, 40]], "shape_type": "rectangle"}],
           "imagePath": "..\\a.jpg", "imageWidth": 64, "imageHeight": 48}  # fmt: skip
REGION = {"type": "rectanglelabels", "value": {"x": 1.5625, "y": 100 / 24, "width": 45.3125,
          "height": 38 / 0.48, "rotation": 0, "rectanglelabels": ["car"]}}  # fmt: skip
TASKS = [{"id": 1, "data": {"image": "/data/upload/1/0a1b2c3d-a.jpg"}, "annotations": [
          {"result": [REGION]}, {"was_cancelled": True, "result": []}]},
         {"id": 2, "data": {"image": "b.jpg"}, "annotations": []}]  # fmt: skip
OPEN_IMAGES = (
    "ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\na,car,.015625,.46875,.0416667,.833333,0\n"
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Annotations/a.xml", VOC.format(name="a")),
        ("other.xml", VOC.format(name="a.jpg")),
        ("annotations.xml", CVAT),
        ("label_2/a.txt", KITTI),
        ("a.json", json.dumps(LABELME)),
        ("export.json", json.dumps(TASKS)),
        ("train-annotations-bbox.csv", OPEN_IMAGES),
        ("a.csv", "images\\a.jpg,1,2,30,40,car\n"),
        ("a.csv", "sep=;\nFileName;Label;X1;Y1;X2;Y2\na.jpg;car;1,0;2,0;30,0;40,0\n"),
        ("deep/down/a.csv", f'{CSV}a.jpg,1,2,30,40,"car"\n\n'),
        ("a.tsv", CSV.replace(",", "\t") + "a.jpg\t1\t2\t30\t40\tcar\n"),
        ("a.json", coco({"image_id": "1", "category_id": 1.0})),
        ("a.json", coco({"bbox": [], "segmentation": [1, 20, 15, 2, 30, 20, 15, 40]})),
        ("a.json", coco(images=[{"id": "01", "file_name": "C:\\x\\A.JPG"}])),
        ("a.json", coco(images=[{"id": 1, "file_name": "/data/local-files/?d=x%2Fa.jpg"}])),
        ("a.json", coco({}, {})),
    ],
    ids=[
        "Pascal VOC", "Pascal VOC by its filename", "CVAT", "KITTI", "LabelMe", "Label Studio",
        "Open Images", "CSV without a header", "CSV of Excel", "CSV in a folder", "TSV",
        "COCO ids as words", "COCO outline", "COCO path of Windows", "COCO path of Label Studio",
        "COCO box given twice",
    ],
)  # fmt: skip
def test_each_form_says_the_same_box(found, name, content):
    told = found({"images/a.jpg": None, name: content})
    boxes, problems = check(told.images[0], 64, 48)

    assert not problems
    assert not told.problems
    assert [(round(b.x_min), round(b.y_min), b.x_max, b.y_max, b.label) for b in boxes] == [
        (1, 2, pytest.approx(30, abs=0.01), pytest.approx(40, abs=0.01), "car")
    ]


@pytest.mark.parametrize("digits", [4, 0])
def test_two_files_of_the_same_boxes_are_one(found, digits):
    told = found(
        {"a.jpg": None, "annotations.csv": f"{CSV}a.jpg,1.2,2.4,30.1,40.2,car\n",
         "again.csv": f"{CSV}a.jpg,{1.2:.{digits}f},{2.4:.{digits}f},30,40,car\n"}
    )  # fmt: skip

    assert len(told.images[0].boxes) == 1
    assert not told.images[0].problems


def test_two_files_of_other_boxes_for_one_image_are_refused(found):
    told = found(
        {"a.jpg": None, "one.csv": f"{CSV}a.jpg,1,2,30,40,car\n",
         "two.csv": f"{CSV}a.jpg,9,9,30,40,car\n"}
    )  # fmt: skip

    assert [(p.reason, p.detail) for p in told.images[0].problems] == [
        ("conflicting_labels",
         "one.csv and two.csv have different boxes for it (1 and 1), expected one of these files")
    ]  # fmt: skip


def test_quoted_line_breaks_are_part_of_a_cell(found):
    head = CSV.replace("\n", ",note\n")
    text = f'{head}a.jpg,1,2,30,40,car,"north,\n""B"""\na.jpg,5,5,9,9,car,\n'
    told = found({"a.jpg": None, "a.csv": text})

    assert [box.where for box in told.images[0].boxes] == ["a.csv:3", "a.csv:4"]


def test_commas_of_decimals_or_thousands_are_refused(found):
    text = CSV.replace(",", ";") + "a.jpg;1,000;2,000;3,000;4,000;car\n"

    with pytest.raises(UserError, match="numbers such as 1,000, which may be of thousands or dec"):
        found({"a.jpg": None, "a.csv": text})


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"a.csv": "image,x,y,w,h\na.jpg,1,2,3,4"}, "a.csv has the columns image, x, y, w, h, exp"),
        ({"a.parquet": "x", "b.parquet": "x"}, "1 images, and 2 .parquet are there, in no form"),
        ({"labels/b.txt": "0 .5 .5 .5 .5"}, "1 YOLO labels have the name of no image: the first"),
        ({"a.xml": "<annotation>"}, "a.xml is no XML"),
        ({"a.xml": '<!DOCTYPE a [<!ENTITY b "c">]><annotation/>'}, "declares entities"),
        ({"a.xml": "<annotations><track/></annotations>"}, "has the tracks of a video"),
        ({"labels/a.txt": ""}, "YOLO labels.* has no box for its 1 images"),
        ({"a.json": coco({"category_id": 0})}, "annotations have the categories 0, and categories"),
        ({"a.json": coco({"bbox": [9, 9, 10, 10], "area": 1}, {"bbox": [2, 2, 9, 9], "area": 49})},
         "all do if bbox is left, top, right, bottom; expected left, top, width, height"),
    ],
)  # fmt: skip
def test_what_is_there_is_named_where_nothing_can_be_read(found, files, complaint):
    with pytest.raises(UserError, match=complaint):
        found({"a.jpg": None} | files)


@pytest.mark.parametrize(
    ("annotations", "reasons"),
    [
        (({}, {"image_id": 7}), ["incomplete_label"]),
        (({"iscrowd": "1"},), ["crowds_alone"]),
        (({}, {"iscrowd": "1"}), []),
        (({}, {"bbox": None, "segmentation": {"counts": "abc"}}), ["unreadable_box"]),
        (({}, {"bbox": ["1_0", 2, 3, 4]}), ["unreadable_box"]),
        (({}, {"bbox": [True, 2, 3, 4]}), ["unreadable_box"]),
    ],
)
def test_an_image_whose_coco_label_is_incomplete_is_not_used(found, annotations, reasons):
    (image,) = found({"a.jpg": None, "a.json": coco(*annotations)}).images

    assert [problem.reason for problem in image.problems] == reasons


def test_an_id_of_two_images_is_refused(found):
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": "1", "file_name": "b.jpg"}]
    told = found({"a.jpg": None, "b.jpg": None, "a.json": coco(images=images)})

    assert [[p.reason for p in image.problems] for image in told.images] == [["conflicting_id"]] * 2


@pytest.mark.parametrize(
    "content",
    [VOC.replace("bndbox", "robndbox").format(name="a"), CVAT.replace("<box", '<box rotation="9"')],
    ids=["Pascal VOC", "CVAT"],
)
def test_a_turned_box_is_refused(found, content):
    (image,) = found({"a.jpg": None, "a.xml": content}).images

    assert [problem.reason for problem in image.problems] == ["unreadable_box"]


def test_a_name_that_is_nearly_right_is_said(found):
    told = found({"parking_01.jpg": None, "a.csv": f"{CSV}parkin_01.jpg,1,2,3,4,car\n"
                  "parking_01.jpg,1,2,30,40,car\n"})  # fmt: skip

    assert told.problems[0].detail == (
        "there is no image 'parkin_01.jpg'; 'parking_01.jpg' is nearly its name"
    )
    assert [p.reason for p in told.images[0].problems] == ["incomplete_label"]


def test_names_are_matched_in_any_normal_form_and_quoting(found):
    lines = "Köln.jpg,1,2,3,4,car\ncam%20north.jpg,1,2,3,4,car\n leading.jpg,1,2,3,4,car\n"
    told = found({"Ko\u0308ln.jpg": None, "cam north.jpg": None, " leading.jpg": None,
                  "a.csv": CSV + lines})  # fmt: skip

    assert [len(image.boxes) for image in told.images] == [1, 1, 1]
    assert not told.problems


def test_a_name_that_is_no_utf_8_is_refused_and_nothing_else(fill, picture, found):
    root = fill({"a.jpg": picture(), "a.txt": "0 .5 .5 .5 .5", "b.txt": "0 .5 .5 .5 .5"})
    (root / "b\udce9.jpg").write_bytes(picture(1))
    (root / "b\udce9.txt").write_text("0 .5 .5 .5 .5")
    told = found({})

    assert [[p.reason for p in image.problems] for image in told.images] == [
        [], ["unstorable_name"],
    ]  # fmt: skip


def test_a_box_in_fractions_among_boxes_in_pixels_is_refused(found):
    (image,) = found(
        {"a.jpg": None, "a.csv": f"{CSV}a.jpg,1,2,30,40,car\na.jpg,.1,.2,.3,.4,car\n"}
    ).images
    _, problems = check(image, 64, 48)

    assert [(p.where, p.detail) for p in problems] == [
        ("a.csv:3", "0.1, 0.2 to 0.3, 0.4 are fractions, expected pixels")
    ]


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("image,xmin,ymin,xmax,ymax,clas", "has a column 'clas', which is nearly 'class'"),
        ("image,xmin,ymin,xmax,ymax,spllit", "has a column 'spllit', which is nearly 'split'"),
    ],
)
def test_a_misspelt_column_is_not_left_aside(found, header, complaint):
    with pytest.raises(UserError, match=complaint):
        found({"a.jpg": None, "a.csv": f"{header}\na.jpg,1,2,30,40,val\n"})


def test_a_number_of_classes_that_is_not_that_of_the_names_is_refused(found):
    with pytest.raises(UserError, match=r"data.yaml says nc: 3, and names 2 classes"):
        found({"a.jpg": None, "a.txt": "0 .5 .5 .5 .5", "data.yaml": f"nc: 3\n{YAML}"})


def test_classes_that_differ_only_in_case_are_worth_a_note(found):
    told = found({"a.jpg": None, "a.csv": f"{CSV}a.jpg,1,2,30,40,car\na.jpg,5,6,30,40,Car\n"})

    assert told.notes == ("the classes 'Car' and 'car' differ only in how they are spelled",)


def test_files_of_no_known_form_are_named(found):
    told = found({"a.jpg": None, "a.csv": f"{CSV}a.jpg,1,2,3,4,car\n", "notes.json": "{}",
                  "x.xml": "<x/>"})  # fmt: skip

    assert told.notes == ("not read: notes.json, x.xml, of no form that is known",)
