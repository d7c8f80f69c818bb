"""Read annotations of CVAT for images: XML with an `image` element for each image, in pixels."""

from collections.abc import Iterator

from components.data.import_dataset.documents import Documents, Element, size_of
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import (
    FoundBox,
    FoundImage,
    ParsedDataset,
    Problem,
    UnusableError,
    labels_of,
    read_boxes,
    split_called,
    split_in,
)
from components.data.import_dataset.matching import place_all
from components.data.import_dataset.text import finite
from components.shared.contracts.errors import UserError

EDGES = ("xtl", "ytl", "xbr", "ybr")
NOT_OBJECTS = frozenset({"tag"})  # said of the whole image


def read_cvat(folder: ImageFolder, documents: Documents) -> ParsedDataset | None:
    """Read every XML file whose root is `annotations`.

    Args:
        folder: Folder of the images.
        documents: Its decoded XML files.

    Raises:
        UserError: If it is of a video, whose frames have no files.
    """
    roots = {name: root for name, root in documents.roots.items() if root.tag == "annotations"}
    if not roots:
        return None
    for name, root in roots.items():
        if root.find("track") is not None:
            raise UserError(f"{name} has the tracks of a video, expected CVAT's export for images")
    tells = {name: read_images(name, root) for name, root in roots.items()}
    images, problems = place_all(folder.index, tells)
    form = f"CVAT {', '.join(roots)}"
    return ParsedDataset(form=form, classes=labels_of(images), images=images, problems=problems)


def read_images(file: str, root: Element) -> Iterator[tuple[str, FoundImage]]:
    """Yield the location of each image element, and the image under the name in the file.

    Args:
        file: Name of the XML file.
        root: Its root element.
    """
    for number, element in enumerate(root.findall("image"), 1):
        called = element.get("name", "")
        where = f"{file}: image {element.get('id', number)}"
        objects = [(where, shape) for shape in element if shape.tag not in NOT_OBJECTS]
        boxes, problems = read_boxes(objects, _box)
        if "".join((element.text or "", *(shape.tail or "" for shape in element))).strip():
            detail = "it has text between its shapes"
            problems = (*problems, Problem(where, "unreadable_line", detail))
        yield (
            where,
            FoundImage(
                name=called,
                boxes=boxes,
                split=split_called(element.get("subset", "")) or split_in(called),
                size=size_of(element.get("width"), element.get("height")),
                problems=problems,
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
