"""Small data sets in every form, and damage to them that no right reading can overlook."""

import json
from pathlib import Path

from components.data.import_dataset.check import check
from components.data.import_dataset.find import find
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.survey import survey

NAMES = ("bus", "car", "van")
WIDTH, HEIGHT = 640, 480
IMAGES = [f"frame_{n:02d}" for n in range(8)]
BOXES = {
    image: [
        (20 + 31 * n + 53 * i, 15 + 23 * n + 37 * i, 91 + 31 * n + 67 * i, 77 + 23 * n + 41 * i,
         NAMES[(n + i) % 3])
        for i in range(1 + n % 3)
    ]
    for n, image in enumerate(IMAGES)
}  # fmt: skip
SIZES = {f"images/{image}.jpg": (WIDTH, HEIGHT) for image in IMAGES}
GARBAGE = "@Qñ\0\"'{}[]<>&;:,\t\n \ud7ff%#/\\|"
NUMERIC = "0123456789.+-eE"


def lines(line, end="\n"):
    """Return one line for each box of each image."""
    return "".join(line(image, *box) + end for image, boxes in BOXES.items() for box in boxes)


def each(folder, ending, text):
    """Return a file for each image."""
    return {f"{folder}{image}.{ending}": text(image, BOXES[image]) for image in IMAGES}


def yolo(image, boxes):
    return "".join(
        f"{NAMES.index(c)} {(x0 + x1) / 2 / WIDTH:.6f} {(y0 + y1) / 2 / HEIGHT:.6f} "
        f"{(x1 - x0) / WIDTH:.6f} {(y1 - y0) / HEIGHT:.6f}\n"
        for x0, y0, x1, y1, c in boxes
    )


def kitti(image, boxes):
    return "".join(
        f"{c} 0.00 0 -1.50 {x0} {y0} {x1} {y1} 1.50 1.60 3.70 -2.70 1.70 3.60 -1.50\n"
        for x0, y0, x1, y1, c in boxes
    )


def voc(image, boxes):
    objects = "".join(
        f"<object><name>{c}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax>"
        f"<ymax>{y1}</ymax></bndbox></object>\n"
        for x0, y0, x1, y1, c in boxes
    )
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
    return f"<annotation><filename>{image}.jpg</filename>{size}\n{objects}</annotation>\n"


def labelme(image, boxes):
    shapes = [
        {"label": c, "points": [[x0, y0], [x1, y1]], "shape_type": "rectangle"}
        for x0, y0, x1, y1, c in boxes
    ]
    sizes = {"imageWidth": WIDTH, "imageHeight": HEIGHT}
    return json.dumps({"shapes": shapes, "imagePath": f"{image}.jpg", **sizes}, indent=1)


def cvat():
    images = "".join(
        f'<image id="{n}" name="{image}.jpg" width="{WIDTH}" height="{HEIGHT}">\n'
        + "".join(
            f'<box label="{c}" xtl="{x0}" ytl="{y0}" xbr="{x1}" ybr="{y1}"/>\n'
            for x0, y0, x1, y1, c in BOXES[image]
        )
        + "</image>\n"
        for n, image in enumerate(IMAGES)
    )
    return f"<annotations>\n{images}</annotations>\n"


def coco():
    annotations = [
        {"id": 10 * n + i, "image_id": n + 1, "category_id": NAMES.index(c) + 1,
         "bbox": [x0, y0, x1 - x0, y1 - y0]}
        for n, image in enumerate(IMAGES)
        for i, (x0, y0, x1, y1, c) in enumerate(BOXES[image])
    ]  # fmt: skip
    images = [{"id": n + 1, "file_name": f"{i}.jpg"} for n, i in enumerate(IMAGES)]
    categories = [{"id": n, "name": name} for n, name in enumerate(NAMES, 1)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    return json.dumps(document, indent=1)


def label_studio():
    def region(x0, y0, x1, y1, c):
        value = {"x": x0 / 6.4, "y": y0 / 4.8, "width": (x1 - x0) / 6.4, "height": (y1 - y0) / 4.8}
        return {"type": "rectanglelabels", "value": value | {"rectanglelabels": [c]}}

    tasks = [
        {"id": n, "data": {"image": f"/data/upload/1/0a1b2c3d-{image}.jpg"},
         "annotations": [{"result": [region(*box) for box in BOXES[image]]}]}
        for n, image in enumerate(IMAGES)
    ]  # fmt: skip
    return json.dumps(tasks, indent=1)


FORMS = {
    "yolo": each("labels/", "txt", yolo) | {"data.yaml": "nc: 3\nnames: [bus, car, van]\n"},
    "kitti": each("label_2/", "txt", kitti),
    "voc": each("Annotations/", "xml", voc),
    "labelme": each("images/", "json", labelme),
    "cvat": {"annotations.xml": cvat()},
    "coco": {"annotations.json": coco()},
    "label studio": {"export.json": label_studio()},
    "csv": {
        "a.csv": "image,class,xmin,ymin,xmax,ymax\n"
        + lines(lambda image, x0, y0, x1, y1, c: f"{image}.jpg,{c},{x0},{y0},{x1},{y1}")
    },
    "csv without header": {
        "a.csv": lines(lambda image, x0, y0, x1, y1, c: f"{image}.jpg,{x0},{y0},{x1},{y1},{c}")
    },
    "open images": {
        "a.csv": "ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\n"
        + lines(
            lambda image, x0, y0, x1, y1, c: (
                f"{image},{c},{x0 / WIDTH:.6f},{x1 / WIDTH:.6f},"
                f"{y0 / HEIGHT:.6f},{y1 / HEIGHT:.6f},0"
            )
        )
    },
}


def mutate(kind: str, text: str, at: int, garbage: str) -> bytes:
    """Return a file's content after one piece of damage, or unharmed in another encoding."""
    rows = text.split("\n")
    row = at % len(rows)
    at %= len(text)
    if kind == "insert":
        text = text[:at] + garbage + text[at:]
    elif kind == "replace":  # a blank in place of a digit would be a number again
        text = text[:at] + ("Q" if text[at] in NUMERIC else garbage) + text[at + 1 :]
    elif kind == "delete" and text[at] not in NUMERIC:
        text = text[:at] + text[at + 1 :]
    elif kind == "repeat line":
        text = "\n".join([*rows[: row + 1], *rows[row:]])
    elif kind == "drop word" and " " in rows[row]:
        words = rows[row].split(" ")
        rows[row] = " ".join(words[: at % len(words)] + words[at % len(words) + 1 :])
        text = "\n".join(rows)
    elif kind == "bytes":
        return text[:at].encode() + b"\xff\xfe" + text[at:].encode()
    elif kind == "UTF-16":
        return text.encode("utf-16")
    elif kind == "CRLF":
        return text.replace("\n", "\r\n").encode("utf-8-sig")
    return text.encode()


KINDS = ("insert", "replace", "delete", "repeat line", "drop word", "bytes", "UTF-16", "CRLF")


def read(root: Path) -> dict[str, list | None]:
    """Return the boxes of each image that can be used, and None of each that is refused."""
    found = find(ImageFolder(root))
    survey(found.form, found.images, SIZES)
    checked = {image.name: check(image, WIDTH, HEIGHT) for image in found.images}
    lost = {problem.where for problem in found.problems if problem.reason == "label_missing"}
    return dict.fromkeys(lost) | {
        name: None if problems else [(b.x_min, b.y_min, b.x_max, b.y_max, b.label) for b in boxes]
        for name, (boxes, problems) in checked.items()
    }


def close(one, other) -> bool:
    # A class that is spelled otherwise is another one: it is said, and no fault of the box.
    return all(abs(a - b) < 0.01 for a, b in zip(one[:4], other[:4], strict=True)) and (
        one[4] == other[4] or other[4] not in NAMES
    )


def wrong(images) -> list[str]:
    """Return the images that are used with other boxes than theirs, or are not named at all."""
    faults = []
    for name in SIZES:
        true = sorted(BOXES[Path(name).stem])
        told = images.get(name, "nothing")
        if told == "nothing" or (
            told is not None and (len(told) != len(true) or not all(map(close, true, sorted(told))))
        ):
            faults.append(f"{name}: {told}, true {true}")
    return faults
