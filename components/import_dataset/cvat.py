"""CVAT for images: one XML file with an `image` element for each, and boxes in pixels."""

from collections.abc import Iterator

from components.contracts.refusal import Refusal
from components.import_dataset.documents import Documents, Element, whole_number
from components.import_dataset.folder import Folder
from components.import_dataset.found import (
    Found,
    FoundBox,
    FoundImage,
    Problem,
    UnusableError,
    join,
    merge,
    split_called,
    split_in,
)
from components.import_dataset.matching import place
from components.import_dataset.text import finite

EDGES = ("xtl", "ytl", "xbr", "ybr")
NOT_OBJECTS = frozenset({"tag"})  # said of the whole image


def read_cvat(folder: Folder, documents: Documents) -> Found | None:
    """Read every XML file whose root is `annotations`.

    Raises:
        Refusal: If it is of a video, whose frames have no files.
    """
    roots = {name: root for name, root in documents.roots.items() if root.tag == "annotations"}
    if not roots:
        return None
    told = []
    problems: list[Problem] = []
    for name, root in roots.items():
        if root.find("track") is not None:
            raise Refusal(f"{name} has the tracks of a video, expected CVAT's export for images")
        placed, lost = place(folder.index, name, read_images(name, root))
        told.append({image: merge(image, same) for image, same in placed.items()})
        problems += lost
    images = join(told)
    return Found(
        form=f"CVAT {', '.join(roots)}",
        classes=tuple(sorted({box.label for image in images for box in image.boxes})),
        images=images,
        problems=tuple(problems),
    )


def read_images(file: str, root: Element) -> Iterator[tuple[str, FoundImage]]:
    """Yield where each image stands, and the image, called as the file calls it."""
    for number, element in enumerate(root.findall("image"), 1):
        called = element.get("name", "")
        where = f"{file}: image {element.get('id', number)}"
        boxes: list[FoundBox] = []
        problems: list[Problem] = []
        for shape in element:
            try:
                boxes += [] if shape.tag in NOT_OBJECTS else [_box(where, shape)]
            except UnusableError as error:
                problems.append(Problem(where, error.reason, str(error)))
        if "".join((element.text or "", *(shape.tail or "" for shape in element))).strip():
            problems.append(Problem(where, "unreadable_line", "it has text between its shapes"))
        width, height = whole_number(element.get("width")), whole_number(element.get("height"))
        yield (
            where,
            FoundImage(
                name=called,
                boxes=tuple(boxes),
                split=split_called(element.get("subset", "")) or split_in(called),
                size=(width, height) if width and height else None,
                problems=tuple(problems),
            ),
        )


def _box(where: str, shape: Element) -> FoundBox:
    label = shape.get("label", "")
    if not label:
        raise UnusableError("missing_class", f"a {shape.tag} has no label")
    if finite(shape.get("rotation", "0"), "rotation", "unreadable_box"):
        raise UnusableError("unreadable_box", "a box is turned, expected one along the image")
    if shape.tag == "polygon":
        points = [pair.split(",") for pair in shape.get("points", "").split(";")]
        if len(points) < 3 or any(len(point) != 2 for point in points):
            raise UnusableError("unreadable_box", "a polygon has fewer than three points")
        xs, ys = ([finite(p[i], "a point", "unreadable_box") for p in points] for i in (0, 1))
        return FoundBox(where, (min(xs), min(ys), max(xs), max(ys)), label)
    if shape.tag != "box":
        raise UnusableError("unreadable_box", f"it has a {shape.tag:.40}, expected box or polygon")
    x_min, y_min, x_max, y_max = (
        finite(shape.get(edge, ""), edge, "unreadable_box") for edge in EDGES
    )
    return FoundBox(where, (x_min, y_min, x_max, y_max), label)
