"""Read Pascal VOC annotations: an XML file for each image, `object` with `bndbox`, in pixels."""

from dataclasses import replace

from components.data.import_dataset.documents import Documents, Element, size_of, text_of
from components.data.import_dataset.folder import ImageFolder
from components.data.import_dataset.found import (
    FoundBox,
    FoundImage,
    ParsedDataset,
    Problem,
    UnusableError,
    join,
    labels_of,
    read_boxes,
    split_in,
)
from components.data.import_dataset.matching import resolve
from components.data.import_dataset.pairing import pair
from components.data.import_dataset.text import finite

EDGES = ("xmin", "ymin", "xmax", "ymax")
COUNTED_FROM_ONE = "VOC20"  # in the name of the database: the challenge's own files


def read_pascal_voc(folder: ImageFolder, documents: Documents) -> ParsedDataset | None:
    """Read every XML file whose root is `annotation`.

    An image is the one with the file's name, or the one that `filename` names.

    Args:
        folder: Folder of the images.
        documents: Its decoded XML files.
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
                problem = Problem(name, "conflicting_name", detail)
                found = replace(found, problems=(*found.problems, problem))
            images.append(found)
    return ParsedDataset(
        form="Pascal VOC files",
        classes=labels_of(images),
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
    shift = 1.0 if COUNTED_FROM_ONE in text_of(root, "source/database") else 0.0
    elements = enumerate(root.iter("object"), 1)
    boxes, problems = read_boxes(
        [(f"{file}: object {number}", element) for number, element in elements],
        lambda where, element: _box(where, element, shift),
    )
    size = size_of(text_of(root, "size/width"), text_of(root, "size/height"))
    return FoundImage(name=image, boxes=boxes, split=split_in(image), size=size, problems=problems)


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
