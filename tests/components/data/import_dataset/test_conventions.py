"""The same boxes, written in every form, are the same boxes again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from components.data.import_dataset import coco, tabular, yolo
from components.data.import_dataset.check import ROUNDING, check, fit
from components.data.import_dataset.found import FoundBox, FoundImage, Problem, merge
from components.shared.contracts.annotation import Box

NAMES = ("bus", "car", "van")
sizes = st.tuples(st.integers(8, 4000), st.integers(8, 4000))


@st.composite
def images(draw):
    """An image's size and boxes in it, at least two pixels wide and high."""
    width, height = draw(sizes)

    def span(end: int):
        low = draw(st.integers(0, end - 2))
        return low, draw(st.integers(low + 2, end))

    boxes = []
    for _ in range(draw(st.integers(0, 5))):
        (x_min, x_max), (y_min, y_max) = span(width), span(height)
        label = draw(st.sampled_from(NAMES))
        boxes.append(Box(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max, label=label))
    return width, height, tuple(boxes)


def same(found: FoundImage, width, height, boxes) -> bool:
    read, problems = check(found, width, height)
    return not problems and len(read) == len(boxes) and all(map(close, read, boxes))


def close(one: Box, other: Box) -> bool:
    edges = ("x_min", "y_min", "x_max", "y_max")
    return one.label == other.label and all(
        abs(getattr(one, edge) - getattr(other, edge)) < 0.01 for edge in edges
    )


@settings(deadline=None)
@given(images())
def test_yolo_says_the_same_boxes(image):
    width, height, boxes = image
    text = "\n".join(
        f"{NAMES.index(b.label)} {(b.x_min + b.x_max) / 2 / width:.7f} "
        f"{(b.y_min + b.y_max) / 2 / height:.7f} {(b.x_max - b.x_min) / width:.7f} "
        f"{(b.y_max - b.y_min) / height:.7f}"
        for b in boxes
    )

    assert same(yolo.read_image("a.jpg", "a.txt", text, NAMES), *image)


@settings(deadline=None)
@given(images())
def test_coco_says_the_same_boxes(image):
    width, height, boxes = image
    annotations = [
        {
            "id": n, "image_id": 7, "category_id": NAMES.index(b.label) + 1,
            "bbox": [b.x_min, b.y_min, b.x_max - b.x_min, b.y_max - b.y_min],
        }
        for n, b in enumerate(boxes)
    ]  # fmt: skip
    document = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": width, "height": height}],
        "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES, 1)],
        "annotations": annotations,
    }
    (found,) = coco.read_images("a.json", document)

    assert same(found, *image)


@settings(deadline=None)
@given(images(), st.sampled_from(",;\t"))
def test_csv_says_the_same_boxes(image, comma):
    width, height, boxes = image
    rows = [
        ("a.jpg", width, height, b.x_min, b.y_min, b.x_max, b.y_max, b.label) for b in boxes
    ] or [("a.jpg", width, height, "", "", "", "", "")]
    header = ("image", "width", "height", "xmin", "ymin", "xmax", "ymax", "class")
    text = "\n".join(comma.join(map(str, row)) for row in (header, *rows))
    found = merge("a.jpg", [line for _, line in tabular.read_lines("a.csv", text)])

    assert same(found, *image)


@settings(deadline=None)
@given(st.text())
def test_no_text_stops_the_reading_of_csv(text):
    lines = list(tabular.read_lines("a.csv", "image,xmin,ymin,xmax,ymax\n" + text))
    filled = sum(bool(line.strip()) for line in text.split("\n"))

    assert len(lines) == filled or ('"' in text and 0 < len(lines) < filled)


@settings(deadline=None)
@given(st.text())
def test_no_text_stops_the_reading_of_yolo(text):
    found = yolo.read_image("a.jpg", "a.txt", text, NAMES)

    lines = sum(bool(line.strip()) for line in text.split("\n"))
    assert len(found.boxes) + len(found.problems) == lines


numbers = st.floats(-5000, 5000) | st.integers(-5, 70)


@settings(deadline=None)
@given(st.tuples(numbers, numbers, numbers, numbers), sizes, st.booleans())
def test_a_box_fits_or_has_a_reason(edges, size, relative):
    fitted = fit(FoundBox("a:1", edges, "car", relative), *size)

    if isinstance(fitted, Problem):
        assert fitted.reason in ("box_outside", "box_without_area")
    else:
        assert 0 <= fitted.x_min < fitted.x_max <= size[0]
        assert 0 <= fitted.y_min < fitted.y_max <= size[1]


@settings(deadline=None)
@given(images(), st.floats(0, ROUNDING, exclude_max=True))
def test_a_box_that_rounding_carried_out_is_clipped(image, excess):
    width, height, _ = image
    fitted = fit(FoundBox("a:1", (-excess, -excess, width + excess, height), "car"), width, height)

    if round(excess, 3) < ROUNDING:
        assert fitted == Box(x_min=0, y_min=0, x_max=width, y_max=height, label="car")


def test_one_bad_box_is_a_reason_against_the_whole_label():
    good, bad = FoundBox("a:1", (1, 1, 5, 5), "car"), FoundBox("a:2", (9, 9, 99, 99), "car")

    _, problems = check(FoundImage(name="a.jpg", boxes=(good, bad)), 64, 48)

    assert [(p.where, p.reason) for p in problems] == [("a:2", "box_outside")]


def test_boxes_for_another_size_are_refused():
    _, problems = check(FoundImage(name="a.jpg", size=(128, 96)), 64, 48)

    assert [p.reason for p in problems] == ["wrong_size"]
