"""Pascal VOC: an XML file an image, with `object`, `name` and `bndbox`, in pixels."""

from components.import_dataset.documents import Documents, Element, text_of, whole_number
from components.import_dataset.folder import Folder
from components.import_dataset.found import (
    Found,
    FoundBox,
    FoundImage,
    Problem,
    UnusableError,
    join,
    split_in,
)
from components.import_dataset.matching import resolve
from components.import_dataset.pairing import pair
from components.import_dataset.text import finite

EDGES = ("xmin", "ymin", "xmax", "ymax")
COUNTED_FROM_ONE = "VOC20"  # in the name of the database: the challenge's own files


def read_pascal_voc(folder: Folder, documents: Documents) -> Found | None:
    """Read every XML file whose root is `annotation`.

    An image is the one with the file's name, or the one that `filename` names.
    """
    roots = {name: root for name, root in documents.roots.items() if root.tag == "annotation"}
    if not roots:
        return None
    called = {name: text_of(root, "filename") for name, root in roots.items()}
    paired = pair(folder.images, list(roots))
    images: list[FoundImage] = []
    problems: list[Problem] = []
    for name, root in roots.items():
        by_name = resolve(folder.index, name, [called[name]]).get(called[name])
        image = paired.get(name) or by_name
        if image is None:
            detail = f"there is no image {called[name] or name!r}"
            problems.append(Problem(name, "image_missing", detail))
        else:
            found = read_image(image, name, root)
            exact = folder.index.exact(called[name], name)
            if exact and exact != image and exact not in paired.values():
                detail = f"it is called as {image}, and its filename is that of {exact}"
                found = _with(found, Problem(name, "conflicting_name", detail))
            images.append(found)
    labels = {box.label for image in images for box in image.boxes}
    return Found(
        form="Pascal VOC files",
        classes=tuple(sorted(labels)),
        images=join([{image.name: image} for image in images]),
        problems=tuple(problems),
    )


def read_image(image: str, file: str, root: Element) -> FoundImage:
    """Read the objects of one image, difficult and truncated ones too.

    Args:
        image: The image's name.
        file: The XML file.
        root: Its root element.
    """
    boxes: list[FoundBox] = []
    problems: list[Problem] = []
    shift = 1.0 if COUNTED_FROM_ONE in text_of(root, "source/database") else 0.0
    for number, element in enumerate(root.iter("object"), 1):
        where = f"{file}: object {number}"
        try:
            boxes.append(_box(where, element, shift))
        except UnusableError as error:
            problems.append(Problem(where, error.reason, str(error)))
    width, height = (whole_number(text_of(root, f"size/{side}")) for side in ("width", "height"))
    return FoundImage(
        name=image,
        boxes=tuple(boxes),
        split=split_in(image),
        size=(width, height) if width and height else None,
        problems=tuple(problems),
    )


def _box(where: str, element: Element, shift: float) -> FoundBox:
    label = text_of(element, "name")
    if not label:
        raise UnusableError("missing_class", "the object has no name")
    if len(element.findall("bndbox")) != 1:
        there = ", ".join(sorted({part.tag for part in element})) or "nothing"
        raise UnusableError("unreadable_box", f"it has {there:.80}, expected one bndbox")
    x_min, y_min, x_max, y_max = (
        finite(text_of(element, f"bndbox/{edge}"), edge, "unreadable_box") for edge in EDGES
    )
    return FoundBox(where, (x_min - shift, y_min - shift, x_max, y_max), label)


def _with(image: FoundImage, problem: Problem) -> FoundImage:
    return FoundImage(
        name=image.name,
        boxes=image.boxes,
        split=image.split,
        size=image.size,
        problems=(*image.problems, problem),
    )
